"""What an evaluation keeps of each row."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Record:
    """What one model made of one row: a line of rows.jsonl."""

    suite: str
    subject: str
    index: int
    prompt: str
    answer: str | None = None
    reference: str | list[str] | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    nll: float | None = None
    """Summed negative log-likelihood in nats of the scored tokens (perplexity)."""
    tokens: int = 0
    """Tokens generated (generation) or scored."""
    note: str | None = None
    """Why a step of an agent is wrong, or counts for nothing."""
    scores: list[float] | None = None
    """Of a model that scores texts: of each answer, or of each class."""
    predicted: list[float] | None = None
    """Of a classifier 1 or 0 for each class, or figures."""
    expected: list[float] | None = None
    """The same of the row."""

    def document(self) -> dict[str, Any]:
        """The JSON form, without what is not set. JSON has no infinities: they are texts that float() reads."""
        found = {key: value for key, value in asdict(self).items() if value not in (None, {})}
        if self.nll is not None and not math.isfinite(self.nll):
            found["nll"] = str(self.nll)
        return found
