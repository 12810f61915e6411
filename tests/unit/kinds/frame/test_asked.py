import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet.kinds.frame.asked import (
    ASKED_ANNOTATION,
    asked_anew,
    asking,
    left_to_others,
    set_by_another,
    without_asked,
)
from swiftlet.local.merge import patched

BARE: dict[str, Any] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "bird-train-0", "namespace": "default", "annotations": {"mine": "1"}},
    "spec": {"parallelism": 1},
}
WISH = {"suspend": False, "activeDeadlineSeconds": None}
VALUES = st.none() | st.booleans() | st.integers()
FIELDS = st.fixed_dictionaries(dict.fromkeys(("suspend", "activeDeadlineSeconds", "backoffLimit"), VALUES))


def job(**spec: Any) -> dict[str, Any]:
    made = asking(BARE, WISH)
    return {**made, "spec": {**made["spec"], **spec}}


def test_a_new_child_asks_and_says_so() -> None:
    made = asking(BARE, WISH)
    assert made["spec"] == {"parallelism": 1, "suspend": False}
    assert json.loads(made["metadata"]["annotations"][ASKED_ANNOTATION]) == WISH
    assert made["metadata"]["annotations"]["mine"] == "1"
    assert asked_anew(made, WISH) == []


def test_what_another_hand_sets_is_left_alone_until_something_else_is_asked() -> None:
    held = job(suspend=True)
    assert set_by_another(held, "suspend") and asked_anew(held, WISH) == []
    (patch,) = asked_anew(held, {**WISH, "activeDeadlineSeconds": 60})
    assert patch.fields["spec"] == {"activeDeadlineSeconds": 60}
    (patch,) = asked_anew(held, {**WISH, "suspend": True})
    assert patch.fields["spec"] == {"suspend": True}


def test_what_is_no_longer_asked_for_is_taken_back_once() -> None:
    before = asking(BARE, {**WISH, "activeDeadlineSeconds": 60})
    (patch,) = asked_anew(before, WISH)
    assert patch.fields["spec"] == {"activeDeadlineSeconds": None}
    after = patched(before, patch.fields)
    assert "activeDeadlineSeconds" not in after["spec"]
    after["spec"]["activeDeadlineSeconds"] = 5  # somebody else's
    assert asked_anew(after, WISH) == []


@pytest.mark.parametrize("text", [None, "", "{", "[1]", '"x"', "null", "[" * 100_000, "9" * 5_000, "\ud800"])
def test_a_child_that_does_not_say_is_taken_to_be_as_it_was_asked(text: str | None) -> None:
    """A child of an older version, or one whose annotation somebody has edited."""
    annotations = {} if text is None else {ASKED_ANNOTATION: text}
    child = {**BARE, "metadata": {**BARE["metadata"], "annotations": annotations}, "spec": {"suspend": False}}
    assert asked_anew(child, WISH) == [] and not set_by_another(child, "suspend")
    (patch,) = asked_anew(child, {**WISH, "suspend": True})
    assert patch.fields["spec"] == {"suspend": True}


@given(before=FIELDS, wish=FIELDS, others=FIELDS)
def test_one_patch_settles_it_whatever_others_do(
    before: dict[str, Any], wish: dict[str, Any], others: dict[str, Any]
) -> None:
    child = asking(BARE, before)
    for patch in asked_anew(child, wish):
        child = patched(child, patch.fields)
    assert asked_anew(child, wish) == []
    child["spec"].update(others)
    assert asked_anew(child, wish) == []


def test_an_applied_manifest_leaves_out_what_another_hand_has_set() -> None:
    assert left_to_others(job(), None, WISH) == job()
    assert left_to_others(job(), job(), WISH) == job()
    assert "suspend" not in left_to_others(job(), job(suspend=True), WISH)["spec"]
    anew = asking(BARE, {"suspend": True})
    assert left_to_others(anew, job(suspend=True), {"suspend": True})["spec"]["suspend"] is True


def test_what_is_asked_for_does_not_count_in_the_digest_of_a_manifest() -> None:
    assert without_asked(job())["spec"] == {"parallelism": 1}
    assert without_asked(BARE) == BARE
