"""How much a report of progress says that the status does not say yet."""

from enum import IntEnum
from typing import Any

from swiftlet.kinds.frame.progress import FIGURES

SILENT = frozenset({"time", "type"})
"""Fields that change with every report and say nothing by themselves."""


class News(IntEnum):
    """The more, the sooner a person wants to read it."""

    NONE = 0
    FIGURES = 1
    """Figures have moved on."""
    PERCENT = 2
    """So has the percentage, which every list of resources shows."""
    TURN = 3
    """The first figures, the last ones, those of a new start, or what is no figure: a phase, a checkpoint."""


def news(shown: dict[str, Any], merged: dict[str, Any]) -> News:
    """What `merged` (by `kinds.progress.merge_event`) says beyond `shown`: an earlier one, or a status' progress."""
    changed = {name for name, value in merged.items() if name not in SILENT and shown.get(name) != value}
    if shown.get("message") != merged.get("message"):
        changed.add("message")
    figures = changed & set(FIGURES)
    if not changed:
        return News.NONE
    is_first = not any(shown.get(name) for name in FIGURES)
    is_last = merged.get("percent") == 100 != shown.get("percent")
    starts_again = merged.get("step", 0) < shown.get("step", 0)
    if changed - figures or is_first or is_last or starts_again:
        return News.TURN
    return News.PERCENT if "percent" in figures else News.FIGURES
