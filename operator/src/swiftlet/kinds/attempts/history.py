"""What went before an attempt. It stands on the attempt's Job, so that the newest one tells the whole story."""

import json
from dataclasses import dataclass
from typing import Any

from swiftlet.api.v1alpha1.finetunejob_status import Restarts

HISTORY_ANNOTATION = "swiftlet.dev/history"
LARGEST_COUNT = 2**31 - 1


@dataclass(frozen=True)
class History:
    """Restarts before an attempt, by cause, and the seconds that earlier attempts ran.

    recent: restarts for infrastructure that the running since then has not made up for.
    lost: attempts that were started because nobody had read what a completed one left; at most one.
    """

    user: int = 0
    infrastructure: int = 0
    active_seconds: int = 0
    recent: int = 0
    lost: int = 0

    def annotation(self) -> str:
        counts = {"user": self.user, "infrastructure": self.infrastructure, "activeSeconds": self.active_seconds}
        return json.dumps({**counts, "recent": self.recent, **({"lost": self.lost} if self.lost else {})})

    @staticmethod
    def read(text: str | None) -> "History":
        """The history that an annotation tells. Anybody who may edit the Job can write it: what is no count is 0."""
        try:
            said = json.loads(text or "{}")
        except (ValueError, RecursionError):
            said = {}
        counts = said if isinstance(said, dict) else {}
        names = ("user", "infrastructure", "activeSeconds", "recent", "lost")
        return History(*(_count(counts.get(name)) for name in names))

    def restarts(self) -> Restarts:
        recent = self.recent or None  # what is new is not written where it says nothing: an earlier release reads it
        return Restarts(user=self.user, infrastructure=self.infrastructure, infrastructure_recent=recent)


def _count(value: Any) -> int:
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return min(max(value, 0), LARGEST_COUNT) if is_count else 0
