"""How the rows of a batch lie: padded, or in one sequence, and there each with all of its tokens or not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.tasks.base import Task
from swiftlet_trainer.training.attention import PADDING_FREE, ROW_BY_ROW
from swiftlet_trainer.training.heads.pool import PoolHead
from swiftlet_trainer.training.order import OrderedData


def laid_out(
    data: OrderedData, model: Any, task: Task, document: TrainDocument, say: Callable[[str], None]
) -> OrderedData:
    """`data` with the rows of a batch in one sequence, if `model` keeps them apart, and with what all rows of a group
    begin with once, if it can go on from there.

    say: told which of the two it is, where rows are learnt in groups.
    """
    problem = _unshared(model, task, document)
    if "group_sizes" in data.train.column_names and data.collator.place is None:
        say(
            f"prompts are computed with each answer: {problem}"
            if problem
            else "prompts are computed once for all answers"
        )
    padding_free = model.config._attn_implementation in PADDING_FREE
    return replace(data, collator=replace(data.collator, padding_free=padding_free, sharing=problem is None))


def _unshared(model: Any, task: Task, document: TrainDocument) -> str | None:
    """Why rows of a group have to be there whole, if they have to."""
    way = model.config._attn_implementation
    if way != ROW_BY_ROW:
        return f"attention {way} knows of whole rows only"
    if isinstance(task.head, PoolHead):
        return "vectors are made of whole rows"
    if document.training.neftune_noise_alpha:
        return "noise on embeddings is that of whole rows"
    return None
