"""Times as Kubernetes writes them: RFC 3339, UTC, whole seconds."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=16)  # every condition of a decision tells the same moment
def to_text(moment: datetime) -> str:
    """2026-01-31T12:00:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_text(text: str) -> datetime:
    """An aware time; raises ValueError for text that is not RFC 3339."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def seconds_between(start: str | None, end: str | None) -> float:
    """Seconds from start to end, 0 when either is unknown or they are reversed."""
    if not start or not end:
        return 0.0
    return max(0.0, (from_text(end) - from_text(start)).total_seconds())
