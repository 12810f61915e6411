"""For how long attempts have been active, from what was stored and the newest Job."""

from typing import Any

import pytest
from swiftlet.kinds.conditions.timestamps import from_text
from swiftlet.kinds.observing.active_time import ActiveTime, active_time

T0, T1, T2 = "2026-01-01T12:00:00Z", "2026-01-01T12:01:00Z", "2026-01-01T12:05:00Z"
NOW = from_text("2026-01-01T12:10:00Z")
HELD = [{"type": "Suspended", "status": "True", "lastTransitionTime": T1}]
FAILED = [{"type": "Failed", "status": "True", "lastTransitionTime": T1}]


@pytest.mark.parametrize(
    ("before", "status", "after"),
    [
        (ActiveTime(), None, ActiveTime()),
        (ActiveTime(), {"startTime": T0}, ActiveTime(0, T0)),
        (ActiveTime(5, T0), {"startTime": T0}, ActiveTime(5, T0)),
        (ActiveTime(5, T0), {"startTime": T0, "conditions": HELD}, ActiveTime(65)),
        (ActiveTime(65), {"startTime": T0, "conditions": HELD}, ActiveTime(65)),
        (ActiveTime(5, T0), {"startTime": T0, "conditions": FAILED}, ActiveTime(65)),
        (ActiveTime(65), {"startTime": T0, "conditions": FAILED}, ActiveTime(65)),
        (ActiveTime(65), {"startTime": T2}, ActiveTime(65, T2)),
        # The operator was away: what is not known counts, and nothing counts twice.
        (ActiveTime(5, T0), {"startTime": T2}, ActiveTime(305, T2)),
        (ActiveTime(5, T0), None, ActiveTime(605)),
        (ActiveTime(5, T2), {"startTime": T0, "conditions": FAILED}, ActiveTime(305)),
    ],
)
def test_active_time(before: ActiveTime, status: dict[str, Any] | None, after: ActiveTime) -> None:
    job = None if status is None else {"metadata": {}, "status": status}
    found = active_time(before, job, NOW)
    assert found == after
    assert active_time(found, job, NOW) == found, "it comes to rest"
