from datetime import timedelta
from typing import Any

import pytest
from swiftlet.api.base import Condition
from swiftlet.kinds.conditions.timestamps import from_text
from swiftlet.kinds.frame.asked import asking
from swiftlet.kinds.frame.outcome import ObjectRef
from swiftlet.kinds.observing.holding import asks_again, hand_on, hold_of, only_deletion_stops
from swiftlet.kinds.observing.kueue import workload_names
from swiftlet.kinds.owning.queue_labels import QUEUE_LABEL

BARE: dict[str, Any] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "bird-train-0", "namespace": "default", "uid": "u-1"},
    "spec": {},
}
NOBODY = "another hand"
WORKLOAD = "job-bird-train-0-" + workload_names("Job", "batch", "bird-train-0", "u-1")[0][-5:]


class Words:
    """A reader that knows one Workload."""

    def __init__(self, workload: dict[str, Any] | None = None) -> None:
        self.workload = workload

    def get(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        assert (kind, namespace) == ("Workload", "default")
        return self.workload if name == WORKLOAD else None

    def children(self, owner_uid: str) -> list[dict[str, Any]]:
        return []

    def progress(self, uid: str) -> dict[str, Any] | None:
        return None


def job(asked: bool, live: bool, queue: str | None = None, **metadata: Any) -> dict[str, Any]:
    made = asking(BARE, {"suspend": asked})
    labels = {QUEUE_LABEL: queue} if queue else {}
    return {**made, "metadata": {**made["metadata"], "labels": labels, **metadata}, "spec": {"suspend": live}}


def condition(type_: str, status: str, reason: str, message: str = "") -> dict[str, str]:
    return {"type": type_, "status": status, "reason": reason, "message": message}


@pytest.mark.parametrize(
    ("child", "suspend"),
    [
        (None, False),
        (job(asked=False, live=False), False),
        (job(asked=True, live=True), True),
        (job(asked=True, live=True), False),  # about to be asked to go on
        (job(asked=False, live=True, queue="team"), True),  # the resource itself wants it to stop
    ],
)
def test_nobody_else_holds_it(child: dict[str, Any] | None, suspend: bool) -> None:
    assert hold_of(child, suspend, Words()) is None


def test_a_person_holds_it() -> None:
    entry = {"manager": "kubectl-patch", "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:spec": {"f:suspend": {}}}}
    reason, message = hold_of(job(False, True, managedFields=[entry]), False, Words()) or ("", "")
    assert reason == "SuspendedByAnother"
    assert "by kubectl-patch at 2026-01-01T00:00:00Z, not by spec.suspend" in message


@pytest.mark.parametrize(
    ("active", "conditions", "reason", "words"),
    [
        (True, [], "Queued", "in LocalQueue team"),
        (True, [condition("QuotaReserved", "False", "Pending", "4 more needed")], "Queued", "Pending: 4 more needed"),
        (
            True,
            [condition("Evicted", "True", "Preempted", "for u-2"), condition("QuotaReserved", "False", "Pending", "1")],
            "Preempted",
            "Preempted: for u-2; Pending: 1",
        ),
        (True, [condition("Evicted", "True", "ClusterQueueStopped", "held")], "Evicted", "ClusterQueueStopped: held"),
        (
            True,
            [condition("QuotaReserved", "False", "Inadmissible", "LocalQueue team doesn't exist")],
            "Inadmissible",
            "LocalQueue team doesn't exist; `kubectl get localqueues` lists those of the namespace",
        ),
        (True, [condition("Evicted", "False", "QuotaReserved", "was")], "Queued", "in LocalQueue team"),
        (False, [condition("Evicted", "True", "Deactivated", "off")], "Deactivated", "set its spec.active to true"),
        (
            False,
            [condition("Evicted", "True", "Deactivated", "exceeding the maximum number of re-queuing retries")],
            "Deactivated",
            "Deactivated: exceeding the maximum number of re-queuing retries; its Workload",
        ),
    ],
)
def test_kueue_holds_it_and_its_words_are_told(
    active: bool, conditions: list[dict[str, str]], reason: str, words: str
) -> None:
    workload = {"metadata": {"name": WORKLOAD}, "spec": {"active": active}, "status": {"conditions": conditions}}
    hold = hold_of(job(False, True, "team"), False, Words(workload))
    assert hold and hold[0] == reason and words in hold[1]


def test_kueue_holds_it_and_its_words_cannot_be_read() -> None:
    hold = hold_of(job(False, True, "team"), False, Words())
    assert hold and hold[0] == "Queued" and "LocalQueue team" in hold[1]


@pytest.mark.parametrize(
    ("child", "suspend", "deleted"),
    [
        (job(asked=False, live=False), True, False),  # can be suspended
        (job(asked=True, live=True), True, False),
        (job(asked=True, live=False), True, True),  # was started again
        (job(asked=False, live=False, queue="team"), True, True),  # would be started again
        (job(asked=False, live=True, queue="team"), True, True),  # would be started when its turn comes
        (job(asked=False, live=True, queue="team"), False, False),
        (job(asked=True, live=False), False, False),
        (job(asked=True, live=False, deletionTimestamp="2026-01-01T00:00:00Z"), True, False),
        (None, True, False),
    ],
)
def test_what_only_deletion_stops(child: dict[str, Any] | None, suspend: bool, deleted: bool) -> None:
    expected = [ObjectRef("batch/v1", "Job", "default", "bird-train-0")] if deleted else []
    assert only_deletion_stops(child, suspend) == expected


@pytest.mark.parametrize(("waited", "pause"), [(0, 2.0), (10, 10.0), (10_000, 600.0)])
def test_the_longer_it_waits_the_rarer_the_queue_is_asked(waited: float, pause: float) -> None:
    since = "2026-01-01T00:00:00Z"
    old = [Condition(type="Suspended", status="True", reason="Queued", last_transition_time=since)]
    now = from_text(since) + timedelta(seconds=waited)
    assert asks_again(("Queued", ""), old, now) == pause
    assert asks_again(("SuspendedByAnother", ""), old, now) is None
    assert asks_again(None, old, now) is None
    assert asks_again(("Queued", ""), [], now) == 2.0


@pytest.mark.parametrize(
    "managed",
    [None, [], [{}], [{"fieldsV1": None}], [{"manager": "a", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]],
)
def test_a_hand_that_left_no_name(managed: Any) -> None:
    assert hand_on(job(False, True, managedFields=managed), "suspend") == NOBODY


def test_a_long_job_s_workload_may_be_called_by_either_of_two_names() -> None:
    name = "x" * 60
    short, long = workload_names("Job", "batch", name, "uid")
    assert len(short) == 63 and long.startswith(f"job-{name}-") and short[-5:] == long[-5:]
    assert len(workload_names("Job", "batch", "bird-train-0", "uid")) == 1
