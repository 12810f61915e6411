import json
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet.api.v1alpha1.finetunejob_status import Failure
from swiftlet.kinds.attempts.attempt import Attempt, attempts_of
from swiftlet.kinds.attempts.cause import cause_of
from swiftlet.kinds.attempts.history import History
from swiftlet.kinds.attempts.restart import after, restart_at


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["user", "infrastructure", "activeSeconds", "recent"]) | st.text()
    return st.lists(inner) | st.dictionaries(names, inner)


ENDED = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)


def job(
    number: int = 0, history: History | None = None, reason: str = "BackoffLimitExceeded", message: str = ""
) -> Any:
    failed = {"type": "Failed", "status": "True", "reason": reason, "message": message}
    return {
        "kind": "Job",
        "metadata": {
            "name": f"bird-train-{number}",
            "uid": f"uid-{number}",
            "labels": {"swiftlet.dev/attempt": str(number)},
            "annotations": {"swiftlet.dev/history": (history or History()).annotation()},
        },
        "status": {
            "startTime": "2026-01-01T00:00:00Z",
            "conditions": [{**failed, "lastTransitionTime": "2026-01-01T00:01:00Z"}],
        },
    }


def attempt(**options: Any) -> Attempt:
    return Attempt(0, job(**options), ())


NAMED = "bird-train-{}".format


def test_attempts_are_ordered_by_number_not_by_name() -> None:
    assert [found.number for found in attempts_of(NAMED, [job(10), job(9)])] == [9, 10]


STRANGERS = ("other", "bird-train-x", "bird-train-01", "bird-train-1e3", "bird-train-", "bird-eval-1", "bird-train-٣")


@pytest.mark.parametrize("name", [*STRANGERS, f"bird-train-{'9' * 5000}"])
def test_a_job_of_another_name_is_no_attempt_whatever_its_labels_say(name: str) -> None:
    stranger = job(7)
    stranger["metadata"]["name"] = name
    assert attempts_of(NAMED, [stranger]) == []


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("bird-eval", [0]), ("bird-eval-1", [1]), ("bird-eval-12", [12]), ("bird-eval-0", []), ("bird-eval-01", [])],
)
def test_the_first_ones_name_may_have_no_number(name: str, numbers: list[int]) -> None:
    found = {**job(), "metadata": {**job()["metadata"], "name": name}}
    named = attempts_of(lambda number: f"bird-eval-{number}" if number else "bird-eval", [found])
    assert [attempt.number for attempt in named] == numbers


@pytest.mark.parametrize(
    ("mode", "pod", "is_its"),
    [
        ("Indexed", "bird-train-0-0-abcde", True),
        ("Indexed", "bird-train-0-17-abcde", True),
        ("Indexed", "bird-train-01-0-abcde", False),
        ("Indexed", "bird-train-1-0-abcde", False),
        ("Indexed", "", False),
        ("NonIndexed", "bird-train-0-abcde", True),
        ("NonIndexed", "bird-train-0-1-abcde", False),
    ],
)
def test_pods_of_an_attempt_are_known_by_name(mode: str, pod: str, is_its: bool) -> None:
    assert Attempt(0, {**job(), "spec": {"completionMode": mode}}, ()).made(pod) is is_its


@pytest.mark.parametrize("label", ["99", "many", ""])
def test_the_label_of_an_attempt_can_be_edited(label: str) -> None:
    edited = job(3)
    edited["metadata"]["labels"]["swiftlet.dev/attempt"] = label
    assert [found.number for found in attempts_of(NAMED, [edited])] == [3]


@pytest.mark.parametrize(
    ("exit_code", "reason", "message", "cause"),
    [
        (1, "BackoffLimitExceeded", "", "user"),
        (2, "PodFailurePolicy", "", "invalid"),
        (3, "PodFailurePolicy", "", "diverged"),
        (143, "BackoffLimitExceeded", "", "infrastructure"),
        (1, "PodFailurePolicy", "Pod a/b has condition DisruptionTarget matching FailJob rule", "infrastructure"),
        (143, "DeadlineExceeded", "", "deadline"),
        (None, "PodFailurePolicy", "Container train failed with exit code 2 matching FailJob rule", "invalid"),
        (None, "BackoffLimitExceeded", "", "user"),
        (137, "BackoffLimitExceeded", "", "user"),
    ],
)
def test_causes(exit_code: int | None, reason: str, message: str, cause: str) -> None:
    assert cause_of(attempt(reason=reason, message=message), Failure(reason="x", exit_code=exit_code)) == cause


def test_the_history_goes_on() -> None:
    found = after(attempt(history=History(1, 2, 30)), "user")
    assert found == History(user=2, infrastructure=2, active_seconds=90)
    assert after(attempt(history=found), "infrastructure") == History(2, 3, 150, recent=1)


def test_running_makes_up_for_restarts_of_the_infrastructure() -> None:
    """One for each ten minutes; what is made up for is not owed."""
    long = attempt(history=History(0, 9, 0, recent=4))
    long.job["status"]["startTime"] = "2025-12-31T23:30:00Z"
    assert after(long, "infrastructure").recent == 2 and after(long, "user").recent == 1
    long.job["status"]["startTime"] = "2025-12-30T00:00:00Z"
    assert after(long, "infrastructure").recent == 1


@given(st.text() | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), _nested).map(json.dumps))
def test_whatever_is_written_into_the_history_is_read(text: str) -> None:
    found = History.read(text)
    assert all(0 <= count < 2**31 for count in astuple(found))
    assert History.read(found.annotation()) == found


@pytest.mark.parametrize(
    ("text", "history"),
    [
        (None, History()),
        ('{"user": 1, "infrastructure": 2, "activeSeconds": 3}', History(1, 2, 3)),
        ('{"user": "1", "infrastructure": 2}', History(0, 2)),
        ('{"user": -5, "infrastructure": 1e400}', History()),
        ('{"user": true, "activeSeconds": 99999999999999999999}', History(0, 0, 2**31 - 1)),
        ("[" * 100000, History()),
    ],
)
def test_histories(text: str | None, history: History) -> None:
    assert History.read(text) == history


@pytest.mark.parametrize(("restarts", "seconds"), [(0, 5), (1, 10), (5, 160), (6, 300), (50, 300)])
def test_backoff_counts_from_the_end_of_the_failed_job(restarts: int, seconds: int) -> None:
    failed = attempt(history=History(user=restarts, infrastructure=0))
    assert restart_at(failed, "user", ENDED) == ENDED + timedelta(seconds=seconds)
    assert restart_at(failed, "infrastructure", ENDED) == ENDED + timedelta(seconds=5)
    taken = attempt(history=History(infrastructure=90, recent=restarts))
    assert restart_at(taken, "infrastructure", ENDED) == ENDED + timedelta(seconds=seconds)
