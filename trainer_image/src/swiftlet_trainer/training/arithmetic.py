"""What of a device's arithmetic a step uses: model FLOPs utilisation (Chowdhery et al. 2022, arXiv:2204.02311).

Counted are the matrix products that a step cannot do without: two operations per weight and token forwards, two
backwards to what came before, and two for the gradient of weights that are trained. The head counts for labelled tokens
alone. Attention's own products, which grow with the rows' length, are left out, as is what is computed again to save
memory: the share is a little lower than what the device does.
"""

from dataclasses import dataclass
from typing import Any

import torch

PEAK_FLOPS = {
    "A100": 312e12,
    "A30": 165e12,
    "A10": 125e12,
    "B200": 2250e12,
    "H100": 989e12,
    "H100 NVL": 835e12,
    "H100 PCIe": 756e12,
    "H20": 148e12,
    "H200": 989e12,
    "L4": 121e12,
    "L40S": 362e12,
}
"""Operations per second in bf16, without sparsity, by how the device is called. Source: the vendor's data sheets."""


def peak_of(device: str) -> float | None:
    """The peak of a device by its name, such as `NVIDIA H100 80GB HBM3`; None where it is not known."""
    words = f" {device.replace('-', ' ')} "
    named = [name for name in PEAK_FLOPS if all(f" {word} " in words for word in name.split())]
    return PEAK_FLOPS[max(named, key=len)] if named else None


@dataclass(frozen=True)
class Arithmetic:
    """Operations of a step by its tokens."""

    per_token: float
    per_label: float
    """Of the head, for each token whose prediction is learnt."""

    def of_step(self, tokens: int, labels: int) -> float:
        """Operations of one step."""
        return tokens * self.per_token + labels * self.per_label


def arithmetic_of(model: Any) -> Arithmetic | None:
    """Of a model that predicts tokens; None where some tokens meet other weights than others do (experts), and where
    weights are no matrices (convolutions)."""
    weights = dict(model.named_parameters())
    if any(len(shape(one)) > 2 or ".experts." in name for name, one in weights.items()):
        return None
    head = model.get_output_embeddings().weight
    looked_up = {id(module.weight) for module in model.modules() if isinstance(module, torch.nn.Embedding)}
    left_out = {*looked_up, id(head)}
    matrices = [one for one in weights.values() if len(shape(one)) == 2 and id(one) not in left_out]
    return Arithmetic(sum(map(operations, matrices)), operations(head))


def operations(weight: Any) -> float:
    """For one token, with a matrix."""
    width, height = shape(weight)
    return width * height * (6.0 if weight.requires_grad else 4.0)


def shape(weight: Any) -> tuple[int, ...]:
    """Of a weight that ZeRO-3 may have sharded."""
    return tuple(getattr(weight, "ds_shape", weight.shape))
