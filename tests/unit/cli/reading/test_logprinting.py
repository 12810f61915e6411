"""What `logs` says where there is no pod to read."""

from typing import Any

import pytest
from swiftlet.cli.reading.logprinting import without_pods

GONE = "the pods are gone, and their logs with them"
FAILURE = {
    "reason": "Error",
    "message": "rank 1 died\n",
    "traceback": "Traceback\n  ValueError: x\n",
    "pod": "bird-0-1",
}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({}, "no pod has started yet"),
        (
            {"completionTime": "2026-01-01T00:00:00Z"},
            f"{GONE}; `swiftlet describe finetunejob/bird` says what came of it, and `swiftlet report finetunejob/bird`"
            " where its page is",
        ),
        (
            {"completionTime": "2026-01-01T00:00:00Z", "lastLines": "progress step=9\nphase message=writing"},
            f"{GONE}; the status has kept of what the run said of itself:\nprogress step=9\nphase message=writing",
        ),
        (
            {"failure": FAILURE},
            f"{GONE}; the status has kept of pod bird-0-1:\nrank 1 died\nTraceback\n  ValueError: x",
        ),
        (
            {"failure": {"reason": "PodDeleted", "message": "somebody deleted it"}},
            f"{GONE}; the status has kept of the pod that failed:\nsomebody deleted it",
        ),
    ],
)
def test_pods_that_are_gone_are_not_pods_that_have_not_started(status: dict[str, Any], said: str) -> None:
    assert without_pods({"kind": "FineTuneJob", "metadata": {"name": "bird"}, "status": status}) == said
