"""The model of a run, ready to be trained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from swiftlet.wire.documents import TrainDocument
from swiftlet.wire.step_plan import StepPlan

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.causal import load_backbone, load_causal, load_scored
from swiftlet_trainer.models.scores import ScoreHead
from swiftlet_trainer.tasks.base import Task
from swiftlet_trainer.training.attention import PADDING_FREE, keep_rows_apart, packing_problem
from swiftlet_trainer.training.heads.odds import OddsHead, attach_odds
from swiftlet_trainer.training.heads.pool import PoolHead, attach_vectors
from swiftlet_trainer.training.heads.score import attach_scores, score_problem
from swiftlet_trainer.training.heads.tokens import attach_token_scores
from swiftlet_trainer.training.logits import head_problem
from swiftlet_trainer.training.noise import add_noise
from swiftlet_trainer.training.rewrites import rewrite_adapters, rewrite_model
from swiftlet_trainer.training.shrunk import shrunk
from swiftlet_trainer.tuners.apply import apply_tuner
from swiftlet_trainer.tuners.continued import continued_adapter, put_weights


def load_trainable(
    document: TrainDocument, task: Task, folder: Path, plan: StepPlan, say: Callable[[str], None], pad_token_id: int = 0
) -> Any:
    """The model in `folder` in the plan's precision, with the head that the task wants and the document's tuner.

    say: told how it is computed, and what of the plan its architecture does not allow. pad_token_id: behind the texts
    that scores are given to, so that transformers knows where they end. Raises InvalidInput.
    """
    import torch

    model = _loaded(document, task, folder, torch.bfloat16 if plan.precision.value == "bf16" else torch.float32)
    tried = _tried(model, document, say)
    if tried is not None and (problem := _head_problem(task, tried)):
        raise InvalidInput([problem])
    rewritten = rewrite_model(model, plan)
    _choose_attention(model, tried, document, plan.attention.value, say)
    _attach_head(model, task)
    if document.training.neftune_noise_alpha:
        add_noise(model, document.training.neftune_noise_alpha)
    if isinstance(task.head, ScoreHead):
        model.config.pad_token_id = model.config.get_text_config().pad_token_id = pad_token_id
    tuned = apply_tuner(model, document.tuner, document.training.seed, document.task.head)
    if adapter := continued_adapter(document):
        put_weights(tuned, adapter)
    rewritten += rewrite_adapters(tuned, document.tuner, document.task.head, plan)
    say(f"attention {model.config._attn_implementation}; {rewritten}")
    if document.training.gradient_checkpointing:
        # Frozen embeddings give activations without a gradient, and checkpointed layers would then learn nothing.
        tuned.enable_input_require_grads()
        tuned.gradient_checkpointing_enable({"use_reentrant": False})
    return tuned


def _loaded(document: TrainDocument, task: Task, folder: Path, dtype: Any) -> Any:
    import torch

    # ZeRO-3 shards what it loads, and does not want it anywhere yet.
    on_gpu = document.use_gpu and document.strategy != "zero3"
    place = {"device_map": {"": torch.cuda.current_device()} if on_gpu else None}
    if isinstance(task.head, PoolHead):
        return load_backbone(folder, dtype, **place)
    if not isinstance(task.head, ScoreHead):
        return load_causal(folder, dtype, **place)
    # All processes, and all attempts, begin with the same layer.
    torch.manual_seed(document.training.seed)
    return load_scored(folder, dtype, task.head.labels, task.head.problem_type, **place)


def _head_problem(task: Task, tried: Any) -> str | None:
    """Why the task's head would make something else of hidden states than the architecture means, if it would."""
    if isinstance(task.head, PoolHead):
        return None
    return (score_problem if isinstance(task.head, ScoreHead) else head_problem)(tried)


def _attach_head(model: Any, task: Task) -> None:
    if task.head is None:
        attach_token_scores(model, task.want, task.is_linear, task.smoothing)
    elif isinstance(task.head, ScoreHead):
        attach_scores(model)
    elif isinstance(task.head, OddsHead):
        attach_odds(model, task.head)
    else:
        attach_vectors(model, task.head)


def _choose_attention(
    model: Any, tried: Any | None, document: TrainDocument, way: str, say: Callable[[str], None]
) -> None:
    """Attend in `way`, if rows of a sequence then mean what they mean alone. Raises InvalidInput where nothing keeps
    packed rows apart. tried: see _tried."""
    packing = document.template.packing
    if way in PADDING_FREE:
        if tried is not None and keep_rows_apart(tried, way, document.template.max_length):
            model.set_attn_implementation(way)
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
