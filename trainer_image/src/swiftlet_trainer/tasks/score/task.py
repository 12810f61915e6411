"""What the trainer is told of a method that scores texts."""

from typing import Literal

from swiftlet_trainer.training.heads.tokens import NOTHING, Want


class ScoreTask:
    """A loss of scores, group by group."""

    items: Literal["tokens", "groups"] = "groups"
    is_linear: bool = False
    has_reference: bool = False
    want: Want = NOTHING
