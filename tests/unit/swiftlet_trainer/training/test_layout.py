"""How rows lie in batches is chosen by model and task, and told where it makes a difference."""

from types import SimpleNamespace
from typing import Any

import pytest
from swiftlet_trainer.training.attention import ROW_BY_ROW, VARLEN
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.training.heads.pool import PoolHead
from swiftlet_trainer.training.layout import laid_out
from swiftlet_trainer.training.order import OrderedData

PAIRS = ["input_ids", "labels", "length", "seq_lengths", "group_sizes"]
ONCE = "prompts are computed once for all answers"


def chosen(
    way: str, columns: list[str] = PAIRS, head: Any = None, noise: float | None = None, place: int | None = None
) -> tuple[bool, bool, list[str]]:
    """Whether rows are padding-free, whether they share prompts, and what is said."""
    model: Any = SimpleNamespace(config=SimpleNamespace(_attn_implementation=way))
    task: Any = SimpleNamespace(head=head)
    document: Any = SimpleNamespace(training=SimpleNamespace(neftune_noise_alpha=noise))
    rows, plan, said = SimpleNamespace(column_names=columns), None, list[str]()
    data = OrderedData(rows, None, plan, (), Collator(0, place=place))  # type: ignore[arg-type]
    collator = laid_out(data, model, task, document, said.append).collator
    return collator.padding_free, collator.sharing, said


def test_row_by_row_computes_prompts_once() -> None:
    assert chosen(ROW_BY_ROW) == (True, True, [ONCE])


@pytest.mark.parametrize(
    ("way", "changes", "problem"),
    [
        (VARLEN, {}, "attention varlen knows of whole rows only"),
        ("sdpa", {}, "attention sdpa knows of whole rows only"),
        (ROW_BY_ROW, {"noise": 5.0}, "noise on embeddings is that of whole rows"),
        (ROW_BY_ROW, {"head": PoolHead()}, "vectors are made of whole rows"),
    ],
)
def test_where_they_are_not_that_is_told(way: str, changes: dict[str, Any], problem: str) -> None:
    padding_free = way in (ROW_BY_ROW, VARLEN)
    assert chosen(way, **changes) == (padding_free, False, [f"prompts are computed with each answer: {problem}"])


@pytest.mark.parametrize("changes", [{"columns": PAIRS[:3]}, {"place": 0}], ids=["no groups", "one of each group"])
def test_nothing_is_said_where_no_two_rows_are_learnt_together(changes: dict[str, Any]) -> None:
    assert chosen(ROW_BY_ROW, **changes) == (True, True, [])
    assert chosen("sdpa", **changes) == (False, False, [])
