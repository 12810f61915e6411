"""How a training step is computed, decided in one place, as data: each choice with its reason.

`swiftlet plan` shows it for this machine, and every training process decides it anew for its own.
"""

from dataclasses import dataclass, fields
from typing import Generic, Literal, TypeVar

from swiftlet.api.v1alpha1.tuner import Lora
from swiftlet.wire.documents import TrainDocument

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
    c_compiler: bool = True
    """Whether there is one, and Python's headers, with which Triton makes what starts its kernels."""


@dataclass(frozen=True)
class StepPlan:
    """Everything about a step that changes its speed but not what is learnt."""

    task: Choice[str]
    """The block of spec.task."""
    precision: Choice[Literal["fp32", "bf16"]]
    master_weights: Choice[bool]
    """Whether the optimizer steps on an fp32 copy of the trained weights (ZeRO keeps its own)."""
    loss: Choice[Literal["labelled"]]
    batches: Choice[Literal["length-grouped", "padding-free", "packed"]]
    attention: Choice[Literal["sdpa", "row_by_row", "varlen"]]
    adapters: Choice[Literal["none", "peft", "fused"]]
    """Whether a LoRA layer's base and adapter are computed in one piece."""
    norms: Choice[Literal["own", "fused"]]
    """Whether RMS norms are computed in one piece, or as the architecture has written them."""
    liger: Choice[bool]
    """Whether Liger's kernels compute norms, rotary embeddings and activations."""
    compile: Choice[bool]
    """Whether torch.compile works on the layers."""
    threads: Choice[int]
    data_workers: Choice[int]
    """Processes beside each training process that put batches together ahead of the step."""

    def lines(self) -> list[str]:
        """`name value: reason`, one per choice, for people."""
        choices = [(field.name.replace("_", " "), getattr(self, field.name)) for field in fields(self)]
        return [f"{name} {_said(choice.value)}: {choice.reason}" for name, choice in choices]


def _said(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def unmet(document: TrainDocument, hardware: Hardware) -> list[str]:
    """What the document asks for and the hardware lacks, one line each: field, value, rule and remedy."""
    training, device = document.training, hardware.device
    liger = training.use_liger_kernel
    found = [
        (
            training.precision == "bf16" and not hardware.bf16,
            f"training.precision: bf16, but this {device} does not multiply it; set auto or fp32",
        ),
        (
            liger and device == "cpu",
            "training.useLigerKernel: true, but its kernels need a GPU; leave it out",
        ),
        (
            liger and device == "cuda" and not hardware.c_compiler,
            "training.useLigerKernel: true, but Triton needs gcc or clang and Python.h for it; add them, or do without",
        ),
    ]
    return [problem for lacking, problem in found if lacking]


def plan_step(document: TrainDocument, hardware: Hardware) -> StepPlan:
    """Decide how to compute the steps of `document`, which `unmet` finds nothing wrong with."""
    precision = _precision(document, hardware)
    attention = _attention(document, hardware, precision.value)
    threads = max(1, hardware.physical_cores // hardware.processes)
    plural = "" if hardware.processes == 1 else "es"
    return StepPlan(
        task=Choice(document.task.block, document.task.learns),
        precision=precision,
        master_weights=_master_weights(precision.value, document.strategy),
        loss=_loss(document),
        batches=_batches(document, attention.value),
        attention=attention,
        adapters=_adapters(document),
        norms=_norms(document, hardware),
        liger=_liger(document, hardware),
        compile=_compile(document, hardware),
        threads=Choice(threads, f"{hardware.physical_cores} physical cores for {hardware.processes} process{plural}"),
        data_workers=_data_workers(document, hardware),
    )


def _precision(document: TrainDocument, hardware: Hardware) -> Choice[Literal["fp32", "bf16"]]:
    asked = document.training.precision
    if asked == "fp32":
        return Choice("fp32", "training.precision asks for it")
    if asked == "bf16":
        return Choice("bf16", "training.precision asks for it")
    if hardware.bf16:
        return Choice("bf16", f"this {hardware.device} multiplies bf16")
    return Choice("fp32", f"this {hardware.device} does not multiply bf16")


def _loss(document: TrainDocument) -> Choice[Literal["labelled"]]:
    reason = "logits are computed only where a label is, in chunks"
    metrics = "; entropy and accuracy from the same pass, as training.tokenMetrics asks"
    return Choice("labelled", reason + metrics if document.training.token_metrics else reason)


def _attention(
    document: TrainDocument, hardware: Hardware, precision: str
) -> Choice[Literal["sdpa", "row_by_row", "varlen"]]:
    packed = "PyTorch's fused attention; a block-diagonal mask keeps packed rows apart"
    padded = "PyTorch's fused attention; rows are causal and padded behind, so it needs no mask"
    fused = packed if document.template.packing else padded
    if hardware.device == "cpu":
        return Choice("row_by_row", "each row by itself: no mask, and nothing is computed between rows")
    if document.strategy == "zero3":
        return Choice("sdpa", f"{fused}: weights are sharded before flash attention can be tried with their heads")
    if precision == "fp32":
        return Choice("sdpa", f"{fused}: flash attention multiplies no fp32")
    return Choice("varlen", "flash attention that is told where rows begin: no mask, nothing between rows")


def _batches(document: TrainDocument, attention: str) -> Choice[Literal["length-grouped", "padding-free", "packed"]]:
    if document.template.packing:
        return Choice("packed", "template.packing is true; rows of a sequence do not see each other")
    if attention != "sdpa":
        return Choice("padding-free", "rows of a step lie in one sequence, which attention allows: nothing is padding")
    return Choice("length-grouped", "rows of like length share a step, in seeded order, so little is padding")


def _adapters(document: TrainDocument) -> Choice[Literal["none", "peft", "fused"]]:
    if document.tuner.full is not None:
        return Choice("none", "all weights are trained")
    lora = document.tuner.lora or Lora()
    if lora.use_dora:
        return Choice("peft", "tuner.lora.useDora scales base and adapter together")
    return Choice("fused", "base and adapter in one piece: the widest tensors are written twice instead of four times")


def _norms(document: TrainDocument, hardware: Hardware) -> Choice[Literal["own", "fused"]]:
    if hardware.device != "cpu":
        return Choice("own", "Liger's kernels compute them, where they are used")
    return Choice("fused", "RMS norms in one piece, where a trial finds them: hidden states are read and written less")


def _liger(document: TrainDocument, hardware: Hardware) -> Choice[bool]:
    asked = document.training.use_liger_kernel
    if asked is not None:
        return Choice(asked, f"training.useLigerKernel is {str(asked).lower()}")
    if hardware.device == "cpu":
        return Choice(False, "its kernels are for GPUs")
    if document.strategy == "zero3":
        return Choice(False, "nobody has tried yet whether its kernels mean the same with sharded weights")
    if not hardware.c_compiler:
        return Choice(False, "Triton starts its kernels with the help of gcc or clang and Python.h, which are not here")
    if document.training.torch_compile:
        return Choice(False, "torch.compile puts the same operators together")
    return Choice(True, "norms, rotary embeddings and activations in one piece each, if it knows the architecture")


def _compile(document: TrainDocument, hardware: Hardware) -> Choice[bool]:
    if document.strategy == "zero3":
        return Choice(False, "zero3 gathers weights while layers run")
    if document.training.torch_compile:
        return Choice(True, "training.torchCompile asks for it")
    if hardware.device != "cpu":
        return Choice(False, "Liger's kernels are as fast and start at once; training.torchCompile: true asks for it")
    return Choice(False, "the start takes longer, steps hardly less here; training.torchCompile: true asks for it")


def _data_workers(document: TrainDocument, hardware: Hardware) -> Choice[int]:
    asked = document.training.dataloader_num_workers
    if asked is not None:
        return Choice(asked, f"training.dataloaderNumWorkers is {asked}")
    if hardware.device != "cpu":
        return Choice(1, "batches are put together ahead of the step, in a process of their own")
    return Choice(0, "a batch is put together in little time, and the step needs every core")


def _master_weights(precision: str, strategy: str) -> Choice[bool]:
    if precision == "fp32":
        return Choice(False, "the weights are fp32 themselves")
    if strategy != "ddp":
        return Choice(False, f"{strategy} keeps its own fp32 copy, one part per process")
    return Choice(True, "updates too small for bf16 would be lost")
