"""What the trainer is told of a method that compares two answers."""

from collections.abc import Mapping
from typing import Literal

from swiftlet_trainer.tasks.preference.scores import FIGURES
from swiftlet_trainer.training.heads.tokens import NOTHING, Want


class PairTask:
    """A loss of pairs, without a reference unless the method says otherwise."""

    items: Literal["tokens", "groups"] = "groups"
    is_linear: bool = False
    has_baseline: bool = False
    smoothing: float = 0.0
    head: None = None
    figures: tuple[str, ...] = FIGURES

    @property
    def want(self) -> Want:
        return NOTHING

    @property
    def has_reference(self) -> bool:
        return False

    def told(self, means: Mapping[str, float]) -> Mapping[str, float]:
        return means
