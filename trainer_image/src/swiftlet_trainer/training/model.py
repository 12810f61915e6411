"""The model of a run, ready to be trained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from swiftlet.wire.documents import TrainDocument
from swiftlet.wire.step_plan import StepPlan

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.training.attention import PADDING_FREE, keep_rows_apart, packing_problem
from swiftlet_trainer.training.liger import use_liger
from swiftlet_trainer.training.logits import head_problem
from swiftlet_trainer.training.loss import attach_labelled_loss
from swiftlet_trainer.training.norms import fuse_rms_norms
from swiftlet_trainer.tuners.apply import apply_tuner
from swiftlet_trainer.tuners.fused_lora import fuse_lora


def load_trainable(document: TrainDocument, folder: Path, plan: StepPlan, say: Callable[[str], None]) -> Any:
    """The model in `folder` in the plan's precision, with the labelled loss and the document's tuner.

    say: told what of the plan its architecture does not allow. Raises InvalidInput.
    """
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=torch.bfloat16 if plan.precision.value == "bf16" else torch.float32,
        local_files_only=True,
        trust_remote_code=False,
        # ZeRO-3 shards what it loads, and does not want it anywhere yet.
        device_map={"": torch.cuda.current_device()} if document.use_gpu and document.strategy != "zero3" else None,
    )
    # ZeRO-3 has sharded the weights by now, and a pass outside of its engine cannot gather them.
    if document.strategy != "zero3" and (problem := head_problem(model)):
        raise InvalidInput([problem])
    if plan.liger.value and not use_liger(model):
        say(f"norms and activations stay as they are: Liger does not know {type(model).__name__}")
    _choose_attention(model, document, plan.attention.value, say)
    if plan.norms.value == "fused":
        fuse_rms_norms(model)
    attach_labelled_loss(model, document.training.token_metrics)
    tuned = apply_tuner(model, document.tuner, document.training.seed)
    if plan.adapters.value == "fused":
        fuse_lora(tuned)
    if document.training.gradient_checkpointing:
        # Frozen embeddings give activations without a gradient, and checkpointed layers would then learn nothing.
        tuned.enable_input_require_grads()
    return tuned


def _choose_attention(model: Any, document: TrainDocument, way: str, say: Callable[[str], None]) -> None:
    """Attend in `way`, if rows of a sequence then mean what they mean alone. Raises InvalidInput where nothing keeps
    packed rows apart."""
    packing = document.template.packing
    if way in PADDING_FREE:
        if keep_rows_apart(model, way, document.template.max_length):
            return
        instead = "packed rows are kept apart by a mask" if packing else "rows are padded"
        say(f"{instead}: this architecture does not allow {way}")
    if packing and document.strategy != "zero3" and (problem := packing_problem(model)):
        raise InvalidInput([problem])


def trainable_parameters(model: Any) -> tuple[int, int]:
    """Numbers of trained and of all parameters, also when ZeRO-3 has sharded them."""
    counts = [(getattr(one, "ds_numel", one.numel()), one.requires_grad) for one in model.parameters()]
    return sum(count for count, trained in counts if trained), sum(count for count, _ in counts)
