"""Server-side apply on plain documents."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet.local.merge import applied, field_set, patched

DOCUMENTS = st.recursive(
    st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
).filter(lambda value: isinstance(value, dict))


def test_one_of_two_blocks_replaces_the_other() -> None:
    old: dict[str, Any] = {"tuner": {"lora": {"rank": 8}}}
    assert applied(old, {"tuner": {"full": {}}}, field_set(old)) == {"tuner": {"full": {}}}


def test_a_list_is_replaced_as_a_whole() -> None:
    assert applied({"a": [1, 2]}, {"a": [3]}, {}) == {"a": [3]}


def test_fields_that_nobody_gave_up_stay() -> None:
    assert applied({"a": {"x": 1, "y": 2}}, {"a": {"x": 5}}, {"f:a": {"f:x": {}}}) == {"a": {"x": 5, "y": 2}}


@given(DOCUMENTS, DOCUMENTS)
def test_a_lone_applier_gets_what_it_gave_last(first: dict[str, Any], second: dict[str, Any]) -> None:
    live = applied({}, first, {})
    assert live == first
    assert applied(live, second, field_set(first)) == second


@given(DOCUMENTS, DOCUMENTS)
def test_applying_twice_changes_nothing(live: dict[str, Any], document: dict[str, Any]) -> None:
    once = applied(live, document, {})
    assert applied(once, document, field_set(document)) == once


@pytest.mark.parametrize(
    ("live", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch(live: Any, patch: Any, expected: Any) -> None:
    """Source: RFC 7386, appendix A."""
    assert patched(live, patch) == expected
