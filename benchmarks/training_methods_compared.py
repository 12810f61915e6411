"""The methods that are compared, each beside its peer, and what is asked of ours."""

from dataclasses import dataclass
from typing import Literal

from training_ways import Way

OURS = "swiftlet"
SAME_STEPS = 3
"""Steps over the same rows: losses of DPO and KTO say nothing at the first one, where nothing was learnt yet."""
WAYS = {
    "trl": Way("TRL, bf16", "trl", "trl"),
    "sentence-transformers": Way("sentence-transformers, bf16", "sentence-transformers", "sentence-transformers"),
    OURS: Way("swiftlet, rows of like length", "swiftlet", "swiftlet"),
}


@dataclass(frozen=True)
class Method:
    """One method."""

    title: str
    peer: Literal["trl", "sentence-transformers"]
    least: float
    """Times the peer's speed that ours is to reach."""
    rows: str
    """What a row is."""
    batch: int
    """Rows of a step."""
    steps: int = 3
    """Of a run: an epoch."""
    is_lean: bool = True
    """Whether ours is to need no more memory than the peer."""
    alike: int = SAME_STEPS
    """First steps over the same rows whose losses are to agree."""
    note: str = ""
    """How the two programs differ in what they compute."""


PAIRS = "pairs of answers"
METHODS = {
    "dpo": Method("DPO", "trl", least=2.5, rows=PAIRS, batch=4),
    "kto": Method(
        "KTO",
        "trl",
        least=2.5,
        rows="single answers",
        batch=8,
        note="both also pass answers to other prompts through model and reference, which do not count as useful",
    ),
    "rm": Method("reward model", "trl", least=2.5, rows=PAIRS, batch=4),
    "orpo": Method(
        "ORPO",
        "trl",
        least=2.5,
        rows=PAIRS,
        batch=4,
        alike=1,
        note="TRL learns prompts too, token by token, where the paper and ours learn answers alone, each counting once;"
        " the losses shown of it are the paper's, put together from the parts that it reports",
    ),
    "embedding": Method(
        "embeddings, InfoNCE",
        "sentence-transformers",
        least=1.3,
        rows="pairs of texts",
        batch=16,
        is_lean=False,
        note="InfoNCE is called MultipleNegativesRankingLoss there; texts are plain in both, as it is told: it would "
        "put them into the model's chat template",
    ),
}
"""By their block of spec.task."""
