"""Odds ratio preference optimization (Hong et al. 2024, arXiv:2403.07691)."""

from typing import ClassVar

from pydantic import Field

from swiftlet.api.v1alpha1.tasks.block import PreferenceBlock
from swiftlet.api.v1alpha1.tasks.dpo import Beta


class OrpoTask(PreferenceBlock):
    """Supervised fine-tuning on the chosen answers, with a penalty on the odds of the rejected ones."""

    learns: ClassVar[str] = "the chosen of two answers, and odds against the other, without a reference"

    beta: Beta = Field(0.1, description="Weight of the odds ratio's loss; lambda in the paper.")
