"""The model of a run, ready to be trained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from swiftlet.wire.documents import TrainDocument
from swiftlet.wire.step_plan import StepPlan

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.causal import load_causal
from swiftlet_trainer.tasks.base import Task
from swiftlet_trainer.training.attention import PADDING_FREE, keep_rows_apart, packing_problem
from swiftlet_trainer.training.head import attach_token_scores
from swiftlet_trainer.training.liger import use_liger
from swiftlet_trainer.training.logits import head_problem
from swiftlet_trainer.training.norms import fuse_rms_norms
from swiftlet_trainer.training.shrunk import shrunk
from swiftlet_trainer.tuners.apply import apply_tuner
from swiftlet_trainer.tuners.fused_lora import fuse_lora


def load_trainable(
    document: TrainDocument, task: Task, folder: Path, plan: StepPlan, say: Callable[[str], None]
) -> Any:
    """The model in `folder` in the plan's precision, with the head that the task wants and the document's tuner.

    say: told what of the plan its architecture does not allow. Raises InvalidInput.
    """
    import torch

    model = load_causal(
        folder,
        torch.bfloat16 if plan.precision.value == "bf16" else torch.float32,
        # ZeRO-3 shards what it loads, and does not want it anywhere yet.
        device_map={"": torch.cuda.current_device()} if document.use_gpu and document.strategy != "zero3" else None,
    )
    tried = _tried(model, document, say)
    if tried is not None and (problem := head_problem(tried)):
        raise InvalidInput([problem])
    if plan.liger.value and not use_liger(model):
        say(f"norms and activations stay as they are: Liger does not know {type(model).__name__}")
    _choose_attention(model, tried, document, plan.attention.value, say)
    if plan.norms.value == "fused":
        fuse_rms_norms(model)
    attach_token_scores(model, task.want, task.is_linear)
    tuned = apply_tuner(model, document.tuner, document.training.seed)
    if plan.adapters.value == "fused":
        fuse_lora(tuned)
    if document.training.gradient_checkpointing:
        # Frozen embeddings give activations without a gradient, and checkpointed layers would then learn nothing.
        tuned.enable_input_require_grads()
    return tuned


def _choose_attention(
    model: Any, tried: Any | None, document: TrainDocument, way: str, say: Callable[[str], None]
) -> None:
    """Attend in `way`, if rows of a sequence then mean what they mean alone. Raises InvalidInput where nothing keeps
    packed rows apart. tried: see _tried."""
    packing = document.template.packing
    if way in PADDING_FREE:
        if keep_rows_apart(model, way, document.template.max_length):
            return
        instead = "packed rows are kept apart by a mask" if packing else "rows are padded"
        say(f"{instead}: this architecture does not allow {way}")
    if packing and tried is not None and (problem := packing_problem(tried)):
        raise InvalidInput([problem])


def _tried(model: Any, document: TrainDocument, say: Callable[[str], None]) -> Any | None:
    """What shows whether a step means what `model` means: itself, or under ZeRO-3 a small model of its architecture.
    Its own weights are sharded by now, and a pass outside of the engine cannot gather them."""
    if document.strategy != "zero3":
        return model
    small = shrunk(model)
    if small is None:
        say(f"{type(model).__name__} has no small form to try: whether its logits and rows are understood is not known")
    return small


def trainable_parameters(model: Any) -> tuple[int, int]:
    """Numbers of trained and of all parameters, also when ZeRO-3 has sharded them."""
    counts = [(getattr(one, "ds_numel", one.numel()), one.requires_grad) for one in model.parameters()]
    return sum(count for count, trained in counts if trained), sum(count for count, _ in counts)
