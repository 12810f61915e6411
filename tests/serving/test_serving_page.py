"""docs/serving.md names what only one engine answers."""

import itertools
from pathlib import Path

from .conformance import VLLM_ALONE

PAGE = Path(__file__).parents[2] / "docs" / "serving.md"
SHARED = {"messages", "nonsense"}


def test_fields_that_vllm_alone_answers_are_told() -> None:
    fields = {*itertools.chain.from_iterable(case.fields for case in VLLM_ALONE.values())} - SHARED
    told = PAGE.read_text(encoding="utf-8")
    assert [field for field in sorted(fields) if f"`{field}`" not in told] == []
