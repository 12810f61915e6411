"""Where the time went."""

from datetime import UTC, datetime, timedelta
from typing import Any

from swiftlet.cli.printing.timetable import busy_seconds, intervals_of, spans_of

START = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
ITEM = {"kind": "FineTuneJob", "metadata": {"name": "bird"}}


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def ended(name: str, began: float, until: float) -> dict[str, Any]:
    return {"name": name, "state": {"terminated": {"exitCode": 0, "startedAt": at(began), "finishedAt": at(until)}}}


def pod(name: str, job: str, *containers: dict[str, Any], **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"batch.kubernetes.io/job-name": job}},
        "status": {"containerStatuses": list(containers), **status},
    }


def spans(*pods: dict[str, Any], until: float = 100) -> list[tuple[str, float]]:
    found = intervals_of(pods, START, START + timedelta(seconds=until))
    return [(span.what, span.seconds) for span in spans_of(ITEM, found)]


def test_containers_in_their_order() -> None:
    one = pod("p", "j", ended("train", 4, 64), initContainerStatuses=[ended("prepare", 0.5, 4)])
    assert spans(one) == [("prepare data", 3.5), ("train", 60.0)]


def test_pods_side_by_side_count_once() -> None:
    assert spans(pod("p0", "j", ended("train", 0, 10)), pod("p1", "j", ended("train", 2, 12))) == [("train", 12.0)]


def test_attempts_add_up() -> None:
    assert spans(pod("p0", "j0", ended("train", 0, 10)), pod("p1", "j1", ended("train", 20, 25))) == [("train", 15.0)]


def test_a_server_counts_until_it_was_ready() -> None:
    serving = {"name": "serve", "state": {"running": {"startedAt": at(10)}}}
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": at(31)}
    assert spans(pod("p", "d", serving, conditions=[ready])) == [("start the server", 21.0)]
    assert spans(pod("p", "d", serving), until=40) == [("start the server", 30.0)]


def test_earlier_runs_do_not_count() -> None:
    assert spans(pod("p", "j", ended("train", -50, -10))) == []


def test_busy_time_counts_overlaps_once() -> None:
    found = intervals_of(
        [pod("a", "x", ended("train", 0, 10)), pod("b", "y", ended("serve", 5, 12)), pod("c", "z", ended("e", 20, 21))],
        START,
        START + timedelta(seconds=100),
    )
    assert busy_seconds(found) == 13.0
