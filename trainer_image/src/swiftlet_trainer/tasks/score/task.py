"""What the trainer is told of a method that scores texts."""

from collections.abc import Mapping
from typing import Literal

from swiftlet_trainer.training.heads.tokens import NOTHING, Want


class ScoreTask:
    """A loss of scores, group by group."""

    items: Literal["tokens", "groups"] = "groups"
    is_linear: bool = False
    has_reference: bool = False
    has_baseline: bool = False
    want: Want = NOTHING

    def told(self, means: Mapping[str, float]) -> dict[str, float]:
        return dict(means)
