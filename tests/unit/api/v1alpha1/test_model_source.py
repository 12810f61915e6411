from typing import Any

import pytest
from swiftlet.api.v1alpha1.model_source import ModelSource, other_head
from swiftlet.api.v1alpha1.tasks import Task

KEPT, MERGED = ModelSource(), ModelSource(merge_adapter=True)


class Played(Task):
    """A task whose head is what the test says."""

    played: Any = "tokens"

    @property
    def head(self) -> Any:
        return self.played


@pytest.mark.parametrize(
    ("source", "made_by", "is_adapter", "wanted", "said"),
    [
        (KEPT, "tokens", True, "tokens", None),
        (KEPT, "score", True, "score", None),
        (KEPT, "tokens", False, "score", None),
        (MERGED, "tokens", True, "pool", None),
        (
            KEPT,
            "score",
            True,
            "tokens",
            "makes scores of texts (task played), and task played needs log-probabilities",
        ),
        (
            KEPT,
            "pool",
            False,
            "tokens",
            "makes vectors of texts (task played), and task played needs log-probabilities",
        ),
        (KEPT, "tokens", True, "score", "and task played needs scores; set spec.model.mergeAdapter to true"),
        (MERGED, "score", True, "tokens", "cannot be merged; start from the model that it was made from"),
        (MERGED, "score", True, "score", "cannot be merged; start from the model that it was made from"),
    ],
)
def test_what_a_model_makes_of_texts_goes_with_what_is_learnt(
    source: ModelSource, made_by: str, is_adapter: bool, wanted: str, said: str | None
) -> None:
    found = other_head(source, Played(played=made_by), is_adapter, Played(played=wanted))
    assert (found is None) == (said is None)
    assert found is None or said is None or said in "; ".join(found)
