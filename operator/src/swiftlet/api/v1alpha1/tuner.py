"""Which weights a FineTuneJob trains."""

import json
from typing import Annotated, ClassVar

from pydantic import Field

from swiftlet.api.base import NEW_RESOURCE, ApiModel, Rule, ShortText, one_of, unchanged


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
            "but the head, experts and their routers. A longer end of a name, such as `layers.29.self_attn.q_proj`, "
            "is one layer's."
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


def same_tuner() -> Rule:
    """Of a FineTuneJob's spec: the tuner stays as it is. To write out what its absence means is no change; releases
    before filled that in when a job was stored. In a job that starts from another one, absence means something else."""
    usual = {**Lora().document(), "alpha": None}

    def is_usual(spec: str) -> str:
        lora = f"{spec}.tuner.lora"
        parts = [
            f"!has({lora}.{name})" if value is None else f"{lora}.{name} == {json.dumps(value)}"
            for name, value in usual.items()
        ]
        return f"(!has({spec}.tuner) || (has({lora}) && {' && '.join(parts)}))"

    either = f"{is_usual('self')} && {is_usual('oldSelf')}"
    return Rule(
        f"({unchanged('tuner')}) || (!has(self.model.fineTuneJobRef) && {either})",
        f"tuner is immutable: {NEW_RESOURCE}",
        "tuner",
    )


_Setting = float | bool | list[str]


def lora_alpha(lora: Lora) -> float:
    """Scale of the update: twice the rank unless the document says otherwise."""
    return 2.0 * lora.rank if lora.alpha is None else lora.alpha


def other_shape(asked: Lora, adapter: Lora) -> list[str]:
    """Where `asked` is not what `adapter` is, with both values: an adapter that is trained further keeps its shape.
    Dropout is none of it."""
    parts: dict[str, tuple[_Setting, _Setting]] = {
        "rank": (asked.rank, adapter.rank),
        "alpha": (lora_alpha(asked), lora_alpha(adapter)),
        "targetModules": (sorted(set(asked.target_modules)), sorted(set(adapter.target_modules))),
        "useRslora": (asked.use_rslora, adapter.use_rslora),
        "useDora": (asked.use_dora, adapter.use_dora),
    }
    return [
        f"{name} is {_shown(mine)}, the adapter's {_shown(its)}" for name, (mine, its) in parts.items() if mine != its
    ]


def _shown(value: _Setting) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"
