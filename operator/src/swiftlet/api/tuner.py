"""Which weights a FineTuneJob trains."""

from typing import Annotated, ClassVar

from pydantic import Field

from swiftlet.api.base import ApiModel, Rule, ShortText, one_of


class Lora(ApiModel):
    """Low-rank adapters (Hu et al. 2021, arXiv:2106.09685)."""

    rank: Annotated[int, Field(ge=1, le=1024)] = Field(16, description="Rank of the update matrices.")
    alpha: Annotated[float, Field(gt=0, le=4096)] | None = Field(
        None, description="Scale of the update; twice the rank when absent."
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="Dropout on the adapters' input.")
    target_modules: Annotated[list[ShortText], Field(min_length=1, max_length=64)] = Field(
        default_factory=lambda: ["all-linear"],
        description=(
            "Names of linear layers and embeddings to adapt; `all-linear` is every linear layer of the language model "
            "but the head, experts and their routers."
        ),
    )
    use_rslora: bool = Field(False, description="Scale by alpha/sqrt(rank) (arXiv:2312.03732).")
    use_dora: bool = Field(False, description="Weight-decomposed adapters (arXiv:2402.09353).")


class Full(ApiModel):
    """Train every weight."""


class Tuner(ApiModel):
    """Which weights are trained."""

    rules: ClassVar[tuple[Rule, ...]] = (one_of("lora", "full"),)

    lora: Lora | None = Field(None, description="Low-rank adapters on frozen weights.")
    full: Full | None = Field(None, description="All weights.")
