"""What pods have reported, in memory: live figures are a courtesy, so a restart of the operator may lose them."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from swiftlet.kinds.frame.progress import merge_event

REPORTING_SECONDS = 180.0
"""A resource whose last report is older than this does not report any more: it has ended, or its pods cannot."""


class ProgressBoard:
    """The progress of each resource by its uid. One event loop uses it; nothing here blocks or locks."""

    def __init__(
        self, on_report: Callable[[str], None] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """on_report: told the uid of a resource after each report about it."""
        self._merged: dict[str, dict[str, Any]] = {}
        self._lately: OrderedDict[str, float] = OrderedDict()
        """When each resource has reported last, the longest ago first."""
        self.on_report, self._clock = on_report, clock

    @property
    def reporting(self) -> int:
        """How many resources report."""
        horizon = self._clock() - REPORTING_SECONDS
        while self._lately and next(iter(self._lately.values())) < horizon:
            self._lately.popitem(last=False)
        return len(self._lately)

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
        self._lately[uid] = self._clock()
        self._lately.move_to_end(uid)
        if self.on_report:
            self.on_report(uid)

    def forget(self, uid: str) -> None:
        """The resource is gone."""
        self._merged.pop(uid, None)
        self._lately.pop(uid, None)

    def __len__(self) -> int:
        """Resources that have reported."""
        return len(self._merged)
