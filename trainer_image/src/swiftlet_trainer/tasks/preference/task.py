"""What the trainer is told of a method that compares two answers."""

from typing import Literal

from swiftlet_trainer.tasks.preference.scores import FIGURES
from swiftlet_trainer.training.heads.tokens import NOTHING, Want


class PairTask:
    """A loss of pairs, without a reference unless the method says otherwise."""

    items: Literal["tokens", "groups"] = "groups"
    is_linear: bool = False
    head: None = None
    figures: tuple[str, ...] = FIGURES

    @property
    def want(self) -> Want:
        return NOTHING

    @property
    def has_reference(self) -> bool:
        return False
