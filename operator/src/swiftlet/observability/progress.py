"""What pods have reported, in memory: live figures are a courtesy, so a restart of the operator may lose them."""

from collections.abc import Callable, Iterable
from typing import Any

from swiftlet.kinds.progress import merge_event


class ProgressBoard:
    """The progress of each resource by its uid. One event loop uses it; nothing here blocks or locks."""

    def __init__(self, on_report: Callable[[str], None] | None = None) -> None:
        """on_report: told the uid of a resource after each report about it."""
        self._merged: dict[str, dict[str, Any]] = {}
        self.on_report = on_report

    def of(self, uid: str) -> dict[str, Any] | None:
        """All that was reported of the resource, folded by `kinds.progress.merge_event`; None when nothing was."""
        return self._merged.get(uid)

    def report(self, uid: str, events: list[dict[str, Any]]) -> None:
        """Take up ProgressEvent documents (camelCase), in their order."""
        if not events:
            return
        merged = self._merged.get(uid)
        for event in events:
            merged = merge_event(merged, event)
        if merged is not None:
            self._merged[uid] = merged
        if self.on_report:
            self.on_report(uid)

    def forget(self, uid: str) -> None:
        """The resource is gone."""
        self._merged.pop(uid, None)

    def keep(self, uids: Iterable[str]) -> None:
        """Forget every resource but these, after a new listing: deletions may have been missed."""
        kept = set(uids)
        self._merged = {uid: merged for uid, merged in self._merged.items() if uid in kept}

    def __len__(self) -> int:
        """Resources that have reported."""
        return len(self._merged)
