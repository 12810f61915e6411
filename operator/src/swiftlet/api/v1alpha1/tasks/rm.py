"""Reward models (Ouyang et al. 2022, arXiv:2203.02155, section 3.5)."""

from typing import Annotated, ClassVar

from pydantic import Field

from swiftlet.api.v1alpha1.tasks.block import PreferenceBlock


class RmTask(PreferenceBlock):
    """A reward model: one score of a whole conversation. Names and defaults are those of TRL's RewardConfig."""

    learns: ClassVar[str] = "a score of conversations, which is higher for the preferred of two answers"

    center_rewards_coefficient: Annotated[float, Field(gt=0, le=1000)] | None = Field(
        None, description="Adds so much of (reward of one + reward of the other)^2, such as 0.01: rewards lie around 0."
    )

    @property
    def score_names(self) -> tuple[str, ...]:
        return ("reward",)
