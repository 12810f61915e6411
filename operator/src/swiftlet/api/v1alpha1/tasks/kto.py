"""Kahneman-Tversky optimization (Ethayarajh et al. 2024, arXiv:2402.01306)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swiftlet.api.v1alpha1.tasks.block import TaskBlock
from swiftlet.api.v1alpha1.tasks.dpo import Beta

Weight = Annotated[float, Field(gt=0, le=1000)]


class KtoTask(TaskBlock):
    """Kahneman-Tversky optimization. Names and defaults are those of TRL's KTOConfig."""

    learns: ClassVar[str] = (
        "which answers are good and which are bad, each by itself, beside what the model says before the first step,"
        " computed once"
    )
    formats: ClassVar[tuple[str, ...]] = ("unpaired_preference", "preference")
    has_own_formats: ClassVar[bool] = True

    loss_type: Literal["kto", "apo_zero_unpaired"] = Field(
        "kto",
        description="kto compares with what the model makes of answers to other prompts; apo_zero_unpaired"
        " (arXiv:2408.06266) with nothing.",
    )
    beta: Beta = Field(0.1, description="How closely the model is held to the reference; larger is closer.")
    desirable_weight: Weight = Field(1.0, description="Weight of the good answers' loss.")
    undesirable_weight: Weight = Field(
        1.0,
        description="Weight of the bad answers' loss. What each kind weighs, times how many rows it has, should differ"
        " by a third at most.",
    )

    @property
    def has_targets(self) -> bool:
        return True

    @property
    def mismatches(self) -> bool:
        return self.loss_type == "kto"
