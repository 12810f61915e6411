"""How a training step is computed, decided in one place, as data: each choice with its reason."""

import os
from dataclasses import dataclass, fields
from typing import Generic, Literal, TypeVar

from swiftlet.api.job import TrainDocument

from swiftlet_trainer.failures import InvalidInput

Value = TypeVar("Value")


@dataclass(frozen=True)
class Choice(Generic[Value]):
    """One decision and why it was made."""

    value: Value
    reason: str


@dataclass(frozen=True)
class Hardware:
    """What the decisions depend on."""

    device: Literal["cpu", "cuda"]
    bf16: bool
    """Whether the device multiplies bfloat16 itself."""
    physical_cores: int
    """Cores this pod may use, hyper-threads counted once."""
    processes: int
    """Training processes that share them."""


@dataclass(frozen=True)
class StepPlan:
    """Everything about a step that changes its speed but not what is learnt."""

    precision: Choice[Literal["fp32", "bf16"]]
    master_weights: Choice[bool]
    """Whether the optimizer steps on an fp32 copy of the trained weights (ZeRO keeps its own)."""
    loss: Choice[Literal["labelled"]]
    batches: Choice[Literal["length-grouped", "packed"]]
    attention: Choice[Literal["sdpa", "row_by_row"]]
    compile: Choice[bool]
    threads: Choice[int]

    def lines(self) -> list[str]:
        """`name: value - reason`, one per choice, for people."""
        choices = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return [f"{name}: {choice.value} - {choice.reason}" for name, choice in choices]


def detect_hardware(use_gpu: bool, processes: int) -> Hardware:
    """The hardware of this pod, of which `processes` training processes share the cores."""
    from swiftlet_trainer.hardware import multiplies_bf16

    return Hardware(
        device="cuda" if use_gpu else "cpu",
        bf16=multiplies_bf16(use_gpu),
        physical_cores=_usable_cores(),
        processes=processes,
    )


def plan_step(document: TrainDocument, hardware: Hardware) -> StepPlan:
    """Decide how to compute the steps of `document`. Raises InvalidInput when it asks for what the hardware lacks."""
    precision = _precision(document, hardware)
    threads = max(1, hardware.physical_cores // hardware.processes)
    return StepPlan(
        precision=precision,
        master_weights=_master_weights(precision.value, document.strategy),
        loss=Choice("labelled", "logits are computed only where a label is, in chunks"),
        batches=(
            Choice("packed", "template.packing is true; rows of a sequence do not see each other")
            if document.template.packing
            else Choice("length-grouped", "rows of like length share a step, in seeded order, so little is padding")
        ),
        attention=_attention(document, hardware),
        compile=Choice(False, "compiling costs more than a short run saves"),
        threads=Choice(threads, f"{hardware.physical_cores} physical cores for {hardware.processes} processes"),
    )


def _precision(document: TrainDocument, hardware: Hardware) -> Choice[Literal["fp32", "bf16"]]:
    asked = document.training.precision
    if asked == "fp32":
        return Choice("fp32", "training.precision asks for it")
    if asked == "bf16" and not hardware.bf16:
        raise InvalidInput(
            [f"training.precision: bf16, but this {hardware.device} does not multiply it; set auto or fp32"]
        )
    if asked == "bf16":
        return Choice("bf16", "training.precision asks for it")
    if hardware.bf16:
        return Choice("bf16", f"this {hardware.device} multiplies bf16")
    return Choice("fp32", f"this {hardware.device} does not multiply bf16")


def _attention(document: TrainDocument, hardware: Hardware) -> Choice[Literal["sdpa", "row_by_row"]]:
    if not document.template.packing:
        return Choice("sdpa", "PyTorch's fused attention; rows are causal and padded behind, so it needs no mask")
    masked = "PyTorch's fused attention; a block-diagonal mask keeps packed rows apart"
    if hardware.device != "cpu":
        return Choice("sdpa", masked)
    if document.strategy == "zero3":
        return Choice("sdpa", f"{masked}: with sharded weights it cannot be tried whether the model allows another way")
    return Choice("row_by_row", "each packed row by itself: no mask, and nothing is computed between rows")


def _master_weights(precision: str, strategy: str) -> Choice[bool]:
    if precision == "fp32":
        return Choice(False, "the weights are fp32 themselves")
    if strategy != "ddp":
        return Choice(False, f"{strategy} keeps its own fp32 copy, one part per process")
    return Choice(True, "updates too small for bf16 would be lost")


def _usable_cores() -> int:
    """Physical cores within this process's affinity mask: a matrix product gains nothing from hyper-threads."""
    import psutil

    usable = len(os.sched_getaffinity(0))
    physical = psutil.cpu_count(logical=False) or usable
    logical = psutil.cpu_count(logical=True) or usable
    return max(1, usable * physical // logical)
