"""The rows of a run and the order that they are taken in."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from swiftlet_trainer.data.encode import IGNORED
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.training.batches import BatchPlan
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.training.reference import Referenced

READ_ROWS = 1000
"""Rows looked at together: few enough that memory does not grow with the data."""


@dataclass(frozen=True)
class OrderedData:
    """Rows and the order that they are taken in."""

    train: Any
    """datasets.Dataset of rows, see collate.Row; with what a reference says of them, reference.Referenced."""
    eval: Any | None
    plan: BatchPlan
    items: tuple[int, ...]
    """What each training row's loss is a sum over, counted."""
    collator: Collator
    left_out: int = 0
    """Training rows without a token to learn."""

    def referenced(self) -> "OrderedData":
        """With rows that wait for what the reference says of them."""
        return replace(self, train=Referenced(self.train), eval=Referenced(self.eval) if self.eval else None)


def order_data(
    train: Any,
    evaluation: Any | None,
    collator: Collator,
    global_batch_size: int,
    seed: int,
    counts: Literal["tokens", "groups"] = "tokens",
    of_tokens: bool = True,
) -> OrderedData:
    """Rows that have something to learn, in the order of `seed`. Raises InvalidInput when there are none.

    counts: what is counted as an item: labelled tokens, or groups of sequences. of_tokens: whether labelled tokens are
    what is learnt; else each row has something to learn.
    """
    labelled = labelled_tokens(train) if of_tokens else np.ones(len(train), dtype=np.int64)
    kept = np.flatnonzero(labelled)
    if not len(kept):
        raise InvalidInput(["datasets: no row has a token to learn; look at the rows' assistant turns"])
    left_out = len(labelled) - len(kept)
    if left_out:
        train, labelled = train.select(kept), labelled[kept]
    plan = BatchPlan(
        lengths=tuple(train["length"]),
        global_batch_size=global_batch_size,
        seed=seed,
        grouped=not collator.packed,
    )
    items = tuple(labelled.tolist()) if counts == "tokens" else _groups(train)
    return OrderedData(train, evaluation, plan, items, collator, left_out)


def _groups(rows: Any) -> tuple[int, ...]:
    """How many groups of sequences each row has."""
    for name in ("group_sizes", "seq_lengths"):
        if name in rows.column_names:
            return tuple(len(each) for each in rows[name])
    return (1,) * len(rows)


def labelled_tokens(rows: Any) -> NDArray[np.int64]:
    """How many tokens of each row are learnt. The first of a row, or of a part of a packed one, has no predecessor."""
    counts = []
    for batch in rows.with_format("numpy").iter(batch_size=READ_ROWS):
        parts = batch.get("seq_lengths", [None] * len(batch["labels"]))
        counts += [_predicted(labels, lengths) for labels, lengths in zip(batch["labels"], parts, strict=True)]
    return np.array(counts, dtype=np.int64)


def _predicted(labels: NDArray[np.int32], lengths: NDArray[np.int64] | None) -> int:
    starts = [0] if lengths is None else np.cumsum(lengths) - lengths
    return int(np.count_nonzero(labels != IGNORED) - np.count_nonzero(labels[starts] != IGNORED))
