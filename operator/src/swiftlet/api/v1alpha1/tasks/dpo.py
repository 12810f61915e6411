"""Direct preference optimization (Rafailov et al. 2023, arXiv:2305.18290), and the losses that came after it."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swiftlet.api.base import Rule
from swiftlet.api.v1alpha1.tasks.block import PreferenceBlock

DpoLoss = Literal[
    "sigmoid",
    "hinge",
    "ipo",
    "exo_pair",
    "nca_pair",
    "robust",
    "bco_pair",
    "sppo_hard",
    "apo_zero",
    "apo_down",
    "aot",
    "aot_unpaired",
    "discopop",
    "sft",
    "sigmoid_norm",
]
Divergence = Literal["reverse_kl", "forward_kl", "js_divergence", "alpha_divergence"]

Beta = Annotated[float, Field(gt=0, le=1000)]
Smoothing = Annotated[float, Field(ge=0, le=0.49)]
"""Below a half. As an inclusive bound: the API server cuts it to an integer where the value is one, and would refuse 0
as not below 0.5."""


class DpoTask(PreferenceBlock):
    """Direct preference optimization. Names and defaults are those of TRL's DPOConfig; rpoAlpha is ms-swift's."""

    learns: ClassVar[str] = (
        "which of two answers is preferred, beside what the model says before the first step, computed once"
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.lossWeights) || (has(self.lossTypes) ? self.lossTypes.size() : 1) == self.lossWeights.size()",
            "lossWeights must have one weight for each of lossTypes",
            "lossWeights",
        ),
        Rule(
            "!has(self.lossTypes) || !self.lossTypes.exists(x, x == 'exo_pair')"
            " || (has(self.labelSmoothing) && self.labelSmoothing > 0.0)",
            "exo_pair takes the logarithm of labelSmoothing: set labelSmoothing above 0, such as 0.001",
            "labelSmoothing",
        ),
        Rule(
            "!has(self.labelSmoothing) || self.labelSmoothing == 0.0 || (has(self.lossTypes) ?"
            " self.lossTypes.exists(x, x in ['sigmoid', 'exo_pair', 'robust', 'aot', 'aot_unpaired']) : true)",
            "labelSmoothing is of sigmoid, robust, exo_pair, aot and aot_unpaired, and lossTypes has none of them;"
            " leave it out",
            "labelSmoothing",
        ),
        Rule(
            "!has(self.useWeighting) || !self.useWeighting || !has(self.lossTypes)"
            " || !self.lossTypes.exists(x, x in ['aot', 'aot_unpaired'])",
            "aot and aot_unpaired sort pairs, and a weight of useWeighting is one pair's; leave one out",
            "useWeighting",
        ),
        Rule(
            "!has(self.referenceFree) || !self.referenceFree || !has(self.fDivergenceType)"
            " || self.fDivergenceType == 'reverse_kl'",
            "fDivergenceType is a divergence from the reference, which referenceFree goes without; leave one out",
            "fDivergenceType",
        ),
    )

    beta: Beta = Field(0.1, description="How closely the model is held to the reference; larger is closer.")
    loss_types: Annotated[list[DpoLoss], Field(min_length=1, max_length=15)] = Field(
        default_factory=lambda: list[DpoLoss](["sigmoid"]),
        description="Losses, added up by lossWeights. aot, aot_unpaired (arXiv:2406.05882) sort all pairs of a step.",
    )
    loss_weights: Annotated[list[Annotated[float, Field(gt=0, le=1000)]], Field(min_length=1, max_length=15)] | None = (
        Field(None, description="Weight of each of lossTypes; 1 each when absent.")
    )
    label_smoothing: Smoothing = Field(
        0.0, description="Share of pairs that are taken to be the wrong way round (cDPO; robust, exo_pair, aot)."
    )
    f_divergence_type: Divergence = Field(
        "reverse_kl", description="Divergence from the reference (f-DPO, arXiv:2309.16240)."
    )
    f_alpha_divergence_coef: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5, description="Alpha of alpha_divergence; 1 is reverse_kl."
    )
    ld_alpha: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None, description="Weight of an answer's tokens beyond the length of the other (LD-DPO, arXiv:2409.06411)."
    )
    rpo_alpha: Annotated[float, Field(gt=0, le=1000)] | None = Field(
        None, description="Adds so much of -log p per token of the chosen answer (RPO, arXiv:2404.19733)."
    )
    discopop_tau: Annotated[float, Field(gt=0, le=1000)] = Field(
        0.05, description="Temperature of discopop's mixture (arXiv:2406.08414)."
    )
    use_weighting: bool = Field(
        False, description="Weigh pairs by how likely the model is to say them (WPO, arXiv:2406.11827)."
    )
    reference_free: bool = Field(False, description="Take every answer to be as likely under the reference.")
