"""Contrastive preference optimization (Xu et al. 2024, arXiv:2401.08417)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swiftlet.api.base import Rule
from swiftlet.api.v1alpha1.tasks.block import PreferenceBlock
from swiftlet.api.v1alpha1.tasks.dpo import Beta, Smoothing

Alpha = Annotated[float, Field(ge=0, le=1000)]


class CpoTask(PreferenceBlock):
    """Contrastive preference optimization. Names and defaults are those of TRL's CPOConfig."""

    learns: ClassVar[str] = "which of two answers is preferred, and the chosen one, without a reference"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.labelSmoothing) || self.labelSmoothing == 0.0 || !has(self.lossType)"
            " || self.lossType == 'sigmoid'",
            "labelSmoothing is of lossType sigmoid; leave it out",
            "labelSmoothing",
        ),
    )

    beta: Beta = Field(0.1, description="Scale of the difference between the answers' log-probabilities.")
    loss_type: Literal["sigmoid", "hinge", "ipo"] = Field("sigmoid", description="Loss of that difference.")
    label_smoothing: Smoothing = Field(0.0, description="Share of pairs that are taken to be the wrong way round.")
    cpo_alpha: Alpha = Field(1.0, description="Weight of -log p per token of the chosen answer.")
