"""Arithmetic of a run before it starts: memory per process, disk, steps. Shown by `swiftlet plan`.

Bytes are those of tensors. Allocator slack, the framework's own buffers and communication buckets come on top.
"""

import math
from dataclasses import dataclass
from typing import Literal

from swiftlet.api.v1alpha1.finetunejob import FineTuneJobSpec
from swiftlet.api.v1alpha1.tasks.block import HeadName
from swiftlet.kinds.finetunejob.plan import Layout, PlannedStrategy
from swiftlet.kinds.finetunejob.shape import ModelShape

BYTES = {"fp32": 4, "bf16": 2}
FP32 = 4

MOMENTS = {"adamw": 8.0, "adafactor": 0.1}
"""Optimizer state in bytes per trained weight: AdamW keeps two fp32 moments (arXiv:1711.05101); Adafactor keeps one
sum per row and per column of a matrix (arXiv:1804.04235), which is far below a byte for usual shapes."""

SHARDED: dict[PlannedStrategy, frozenset[str]] = {
    "ddp": frozenset(),
    "zero1": frozenset({"optimizer"}),
    "zero2": frozenset({"optimizer", "gradients"}),
    "zero3": frozenset({"optimizer", "gradients", "weights"}),
}
"""What each process holds only its part of. Source: Rajbhandari et al. 2019, arXiv:1910.02054, section 5."""

DEFAULT_EPOCHS = 3.0
"""Where neither epochs nor maxSteps is set; as the API documents."""

LOGITS_CHUNK_BYTES = {"cpu": 256 << 20, "gpu": 1 << 30}
"""fp32 logits that exist at once: the trainer computes the head in chunks of labelled positions, and a test holds its
sizes against these."""


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes of one process."""

    weights: int
    gradients: int
    optimizer: int
    """Moments, and the fp32 copy of the trained weights where they are computed in bf16."""
    activations: int
    logits: int
    """What the head makes: logits of tokens, or scores or vectors of texts."""

    @property
    def total(self) -> int:
        return self.weights + self.gradients + self.optimizer + self.activations + self.logits


@dataclass(frozen=True)
class Estimate:
    """What a run will need."""

    parameters: int
    trained_parameters: int
    memory: MemoryEstimate
    checkpoint_bytes: int
    """One checkpoint."""
    merged_bytes: int
    """The base with another job's adapter added, with mergeAdapter; else 0."""
    disk_bytes: int
    """Kept checkpoints, the one being written, the artifact, and the merged base."""
    steps: int | None
    """Optimizer steps; None when they depend on rows that were not counted."""
    flops_per_token: int


def estimate(
    spec: FineTuneJobSpec,
    layout: Layout,
    shape: ModelShape,
    precision: Literal["fp32", "bf16"],
    rows: int | None = None,
) -> Estimate:
    """The estimate of a run.

    rows: training rows of an epoch, without those held out (packed sequences when packing), when they are known.
    Raises ValueError for LoRA targets that the model does not have.
    """
    merged = shape.parameters * shape.stored_width if spec.model.merge_adapter else 0
    shape = shape.of_task(spec.task)
    trained = shape.trained(spec.own_tuner)
    checkpoint = checkpoint_bytes(shape, spec, precision)
    return Estimate(
        parameters=shape.parameters,
        trained_parameters=trained,
        memory=memory_per_process(spec, layout, shape, precision),
        checkpoint_bytes=checkpoint,
        merged_bytes=merged,
        disk_bytes=checkpoint * (spec.checkpoints.keep + 1) + trained * BYTES[precision] + merged,
        steps=steps_of(spec, rows),
        flops_per_token=flops_per_token(spec, shape),
    )


def memory_per_process(
    spec: FineTuneJobSpec, layout: Layout, shape: ModelShape, precision: Literal["fp32", "bf16"]
) -> MemoryEstimate:
    """Bytes of one process. shape: as the task loads the model.

    Source of the state: arXiv:1910.02054 section 3.1, with Psi the trained weights for gradients and optimizer, and all
    weights (and the adapters beside them) for the weights.
    """
    width, trained = BYTES[precision], shape.trained(spec.own_tuner)
    adapters = 0 if spec.own_tuner.full is not None else trained
    master = FP32 if precision != "fp32" else 0
    # Without ZeRO gradients of bf16 weights are summed into the fp32 masters' and freed.
    gradient_width = FP32 if precision != "fp32" and layout.strategy == "ddp" else width
    whole = {
        "weights": (shape.parameters + adapters) * width,
        "gradients": trained * gradient_width,
        "optimizer": trained * (MOMENTS[spec.training.optimizer] + master),
    }
    sharded = SHARDED[layout.strategy]
    part = {name: math.ceil(size / (layout.world_size if name in sharded else 1)) for name, size in whole.items()}
    sequences = layout.per_device_batch_size * spec.task.learnt_sequences
    tokens = sequences * spec.template.max_length
    device: Literal["cpu", "gpu"] = "gpu" if spec.compute.gpus else "cpu"
    return MemoryEstimate(
        weights=part["weights"],
        gradients=part["gradients"],
        optimizer=part["optimizer"],
        activations=activation_bytes(shape, tokens, width, spec.training.gradient_checkpointing),
        logits=head_bytes(shape, spec.task.head, sequences, tokens, width, device),
    )


def activation_bytes(shape: ModelShape, tokens: int, width: int, recompute: bool) -> int:
    """Bytes kept for the backward pass.

    Counted tensor by tensor as in Korthikanti et al. 2022 (arXiv:2205.05198, section 4.1), for a layer without dropout
    and with attention that keeps no score matrix. Kept per token and layer: both norms' inputs (also as fp32) and
    outputs; query, key, value and the attention's output; gate, up, activated gate and their product. With
    recomputation: the layers' inputs, and one layer in full. The norm after the last layer is kept in either case.
    """
    norm = (2 * width + FP32) * shape.hidden
    attention = (2 * shape.attention + 2 * shape.key_value) * width
    mlp = 4 * shape.intermediate * width
    layer = 2 * norm + attention + mlp
    kept = layer + shape.layers * shape.hidden * width if recompute else layer * shape.layers
    return tokens * (kept + norm)


def head_bytes(
    shape: ModelShape, head: HeadName, sequences: int, tokens: int, width: int, device: Literal["cpu", "gpu"]
) -> int:
    """Bytes of what the head makes at once: in the model's precision, as fp32, and its fp32 gradient."""
    figures = {"score": shape.scores or 0, "pool": shape.hidden}
    if head in figures:
        return sequences * figures[head] * (width + 2 * FP32)
    return logits_bytes(shape, tokens, width, device)


def logits_bytes(shape: ModelShape, tokens: int, width: int, device: Literal["cpu", "gpu"]) -> int:
    """The same of logits. Upper bound: every position carries a label."""
    chunk = max(1, LOGITS_CHUNK_BYTES[device] // (FP32 * shape.vocabulary))
    return min(tokens, chunk) * shape.vocabulary * (width + 2 * FP32)


def checkpoint_bytes(shape: ModelShape, spec: FineTuneJobSpec, precision: Literal["fp32", "bf16"]) -> int:
    """Bytes of one checkpoint: trained weights, moments and, beside bf16 weights, their fp32 copy."""
    master = FP32 if precision != "fp32" else 0
    return math.ceil(shape.trained(spec.own_tuner) * (BYTES[precision] + MOMENTS[spec.training.optimizer] + master))


def steps_of(spec: FineTuneJobSpec, rows: int | None) -> int | None:
    """Optimizer steps as the trainer counts them: maxSteps, else ceil(epochs x rows / globalBatchSize)."""
    if spec.training.max_steps is not None:
        return spec.training.max_steps
    if rows is None:
        return None
    epochs = DEFAULT_EPOCHS if spec.training.epochs is None else spec.training.epochs
    return max(1, math.ceil(epochs * rows / spec.training.global_batch_size))


def flops_per_token(spec: FineTuneJobSpec, shape: ModelShape) -> int:
    """Floating-point operations per trained token of a row of maxLength.

    Full: 6 N + 6 L s a. LoRA: 4 N + 6 L s a + 6 N_lora, as frozen weights need no gradient. N: weights in matrix
    products, L: layers, s: length, a: width of attention. Causal attention: forward 2 L s a, backward twice that.
    Source: Kaplan et al. 2020 (arXiv:2001.08361, section 2.1) for 6 N; attention halved as half the scores are masked.
    """
    attention = 6 * shape.layers * spec.template.max_length * shape.attention
    if spec.own_tuner.full is not None:
        return 6 * shape.matmul_parameters + attention
    of_tokens = shape.trained(spec.own_tuner) - (shape.scores or 0) * shape.hidden
    return 4 * shape.matmul_parameters + attention + 6 * of_tokens
