"""Optimizers, and fp32 master weights for parameters that are computed in bf16."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
import torch.distributed as dist
from swiftlet.api.v1alpha1.training import Training
from torch import nn

ADAM_BETAS = (0.9, 0.999)
ADAM_EPSILON = 1e-8
"""Source: Kingma and Ba 2014, arXiv:1412.6980, and transformers' TrainingArguments."""

BUCKET_ELEMENTS = 25_000_000
"""Gradients reduced at once: 100 MB of fp32, copied together and back."""

Groups = list[dict[str, Any]]
Factory = Callable[[Groups], torch.optim.Optimizer]


def parameter_groups(model: nn.Module, weight_decay: float) -> Groups:
    """Trained parameters in two groups: matrices decay, vectors (biases, norms) do not."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    rank = {id(parameter): _dimensions(parameter) for parameter in trained}
    groups = [
        {"params": [parameter for parameter in trained if rank[id(parameter)] > 1], "weight_decay": weight_decay},
        {"params": [parameter for parameter in trained if rank[id(parameter)] <= 1], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def build_optimizer(model: nn.Module, training: Training, master_weights: bool) -> torch.optim.Optimizer:
    """The optimizer that `training` names, on fp32 copies when `master_weights`."""
    groups = parameter_groups(model, training.weight_decay)

    def create(groups: Groups) -> torch.optim.Optimizer:
        if training.optimizer == "adamw":
            # Fused: one pass over the weights and their moments, where PyTorch's default on a CPU makes a dozen.
            return torch.optim.AdamW(groups, lr=training.learning_rate, betas=ADAM_BETAS, eps=ADAM_EPSILON, fused=True)
        from transformers.optimization import Adafactor

        return Adafactor(groups, lr=training.learning_rate, scale_parameter=False, relative_step=False)

    return MasterWeights(groups, create) if master_weights else create(groups)


class MasterWeights(torch.optim.Optimizer):
    """Steps `create`'s optimizer on fp32 copies of bf16 parameters and rounds the result into them.

    A bf16 number has 8 bits of precision, so adding an update below 1/256 of a weight changes nothing; the fp32 copy
    adds such updates up. Gradients are summed in fp32 too, over micro-batches and processes (Micikevicius et al. 2017,
    arXiv:1710.03740, section 3.1).
    """

    def __init__(self, groups: Groups, create: Factory) -> None:
        super().__init__(groups, {})
        master_groups = [
            {**group, "params": [parameter.detach().float().clone() for parameter in group["params"]]}
            for group in self.param_groups
        ]
        self._inner = create(master_groups)
        for group, inner in zip(self.param_groups, self._inner.param_groups, strict=True):
            group.update({name: value for name, value in inner.items() if name != "params"})
        self._pairs = [
            (parameter, master)
            for group, inner in zip(self.param_groups, self._inner.param_groups, strict=True)
            for parameter, master in zip(group["params"], inner["params"], strict=True)
        ]

    @property
    def masters(self) -> list[torch.Tensor]:
        """The fp32 weights, in the order of the parameters."""
        return [master for _, master in self._pairs]

    def absorb_gradients(self) -> None:
        """Add the parameters' gradients to the masters' and clear them."""
        for parameter, master in self._pairs:
            if parameter.grad is None:
                continue
            gradient = parameter.grad.float()
            master.grad = gradient if master.grad is None else master.grad.add_(gradient)
            parameter.grad = None

    @torch.no_grad()
    def average_gradients(self) -> None:
        """The mean of all processes' gradients, reduced in fp32; called on each of them when a step is complete.

        A gradient that this process does not have counts as 0, so that all reduce the same tensors in the same order.
        """
        for master in self.masters:
            if master.grad is None:
                master.grad = torch.zeros_like(master)
        for some in _buckets([master.grad for master in self.masters if master.grad is not None]):
            flat = torch.cat([gradient.flatten() for gradient in some]).div_(dist.get_world_size())
            dist.all_reduce(flat)
            for gradient, mean in zip(some, flat.split([one.numel() for one in some]), strict=True):
                gradient.copy_(mean.view_as(gradient))

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One update: gradients to the masters, the inner step, masters to the parameters."""
        self.absorb_gradients()
        self._hand_down_learning_rate()
        self._inner.step()
        self._inner.zero_grad()  # they are absorbed gradients, and spent
        parameters, masters = zip(*self._pairs, strict=True)
        torch._foreach_copy_(parameters, masters)

    def zero_grad(self, set_to_none: bool = True) -> None:
        super().zero_grad(set_to_none)
        self._inner.zero_grad(set_to_none)

    def _hand_down_learning_rate(self) -> None:
        """A scheduler writes the next step's rate into our groups; the inner optimizer has those of the last step."""
        for group, inner in zip(self.param_groups, self._inner.param_groups, strict=True):
            inner["lr"] = group["lr"]

    def state_dict(self) -> dict[str, Any]:
        self._hand_down_learning_rate()
        return {"optimizer": self._inner.state_dict(), "masters": self.masters}

    @torch.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._inner.load_state_dict(state_dict["optimizer"])
        for (parameter, master), saved in zip(self._pairs, state_dict["masters"], strict=True):
            master.copy_(saved)
            parameter.copy_(master)
        for group, inner in zip(self.param_groups, self._inner.param_groups, strict=True):
            group.update({name: value for name, value in inner.items() if name != "params"})


def _buckets(tensors: list[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    """In order, at most BUCKET_ELEMENTS together; a larger one is alone."""
    bucket: list[torch.Tensor] = []
    for tensor in tensors:
        if bucket and sum(one.numel() for one in bucket) + tensor.numel() > BUCKET_ELEMENTS:
            yield bucket
            bucket = []
        bucket.append(tensor)
    if bucket:
        yield bucket


def clip_gradients(parameters: Iterable[torch.Tensor], max_norm: float) -> torch.Tensor:
    """Scale gradients to a total 2-norm of at most `max_norm` (0: only measure); returns the norm before."""
    return nn.utils.clip_grad_norm_(parameters, max_norm or float("inf"))


def _dimensions(parameter: torch.Tensor) -> int:
    """Dimensions of a parameter; under ZeRO-3 the tensor is empty and its shape is kept beside it."""
    return len(getattr(parameter, "ds_shape", parameter.shape))
