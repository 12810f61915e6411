"""Simple preference optimization (Meng et al. 2024, arXiv:2405.14734)."""

from typing import Annotated, ClassVar

from pydantic import Field

from swiftlet.api.v1alpha1.tasks.block import PreferenceBlock
from swiftlet.api.v1alpha1.tasks.cpo import Alpha
from swiftlet.api.v1alpha1.tasks.dpo import Beta, Smoothing


class SimpoTask(PreferenceBlock):
    """Simple preference optimization. Defaults are ms-swift's."""

    learns: ClassVar[str] = "which of two answers is preferred by its mean log-probability, without a reference"

    beta: Beta = Field(2.0, description="Scale of the log-probabilities per token.")
    simpo_gamma: Annotated[float, Field(ge=0, le=1000)] = Field(
        1.0, description="Margin by which the chosen answer's reward, beta times its mean log p, is to be ahead."
    )
    label_smoothing: Smoothing = Field(0.0, description="Share of pairs that are taken to be the wrong way round.")
    cpo_alpha: Alpha = Field(
        1.0, description="Weight of -log p per token of the chosen answer (CPO-SimPO); 0 is the paper's SimPO."
    )
