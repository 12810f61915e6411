"""Which Jobs' Events are asked for, how often, and which of them counts."""

import asyncio
import heapq
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from swiftlet.control.keys import Key
from swiftlet.kube.client import ApiError, Listed, Page
from swiftlet.kube.complaints import BURST, FRESH_SECONDS, QUESTIONS_PER_SECOND, Complaints

WORDS = 'Error creating: pods "bird-train-0-0-x2x4k" is forbidden: exceeded quota: pods'


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Told:
    """A client that answers a list of Events as it was told to."""

    def __init__(self, *events: dict[str, Any], error: ApiError | None = None) -> None:
        self.events, self.error = events, error
        self.asked: list[tuple[Any, ...]] = []

    async def list(
        self, kind: str, namespace: str | None = None, label_selector: str | None = None, field_selector: Any = None
    ) -> AsyncIterator[Page]:
        self.asked.append((kind, namespace, field_selector))
        if self.error:
            raise self.error
        yield Page([Listed("team", "e", 1, lambda event=event: event) for event in self.events], 1)  # type: ignore[misc]


def _job(number: int = 0) -> dict[str, Any]:
    return {"kind": "Job", "metadata": {"name": f"bird-{number}", "namespace": "team", "uid": f"uid-{number}"}}


def _ask(client: Told, clock: Clock) -> Complaints:
    complaints = Complaints(client, clock)  # type: ignore[arg-type]
    asyncio.run(complaints.ask(_job()))
    return complaints


def test_the_newest_event_about_this_very_job_counts_without_the_name_that_the_pod_would_have_had() -> None:
    client = Told(
        {"lastTimestamp": "2026-01-01T00:00:00Z", "message": "older"},
        {"lastTimestamp": "2026-01-01T00:01:00Z", "message": f"(combined from similar events): {WORDS}"},
        {"lastTimestamp": None, "message": "no time"},
    )
    found = _ask(client, Clock()).known(_job())
    assert found is not None
    assert found == ("2026-01-01T00:01:00Z", "exceeded quota: pods")
    assert client.asked == [
        ("Event", "team", "involvedObject.uid=uid-0,reason=FailedCreate,source=job-controller"),
    ]


def test_what_is_to_make_jobs_is_asked_in_the_words_of_its_own_controller() -> None:
    words = 'job "bird-t-0" creation failed with error: jobs.batch "bird-t-0" is forbidden: exceeded quota'
    client = Told({"lastTimestamp": "2026-01-01T00:01:00Z", "message": words})
    jobset = {**_job(), "kind": "JobSet"}
    complaints = Complaints(client, Clock())  # type: ignore[arg-type]
    asyncio.run(complaints.ask(jobset))
    assert complaints.known(jobset) == ("2026-01-01T00:01:00Z", "exceeded quota")
    assert client.asked == [("Event", "team", "involvedObject.uid=uid-0,reason=JobCreationFailed,source=jobset")]


@pytest.mark.parametrize("client", [Told(), Told(error=ApiError(403, "Forbidden", "no"))], ids=["none", "refused"])
def test_no_answer_is_remembered_too(client: Told) -> None:
    clock = Clock()
    complaints = _ask(client, clock)
    assert complaints.known(_job()) is None
    assert not complaints.may_ask(_job())
    clock.now += FRESH_SECONDS
    assert complaints.may_ask(_job())


def test_the_questions_of_a_thousand_jobs_are_bounded() -> None:
    clock = Clock()
    complaints = Complaints(Told(), clock)  # type: ignore[arg-type]
    assert sum(complaints.may_ask(_job(number)) for number in range(1000)) == BURST
    clock.now += 1
    assert sum(complaints.may_ask(_job(number)) for number in range(1000)) == QUESTIONS_PER_SECOND


def test_jobs_that_wait_for_an_answer_are_looked_at_as_often_as_they_may_ask() -> None:
    """A thousand for ten minutes, each of which wants a look every 15 s; what is alone gets what it wants."""
    clock, generator = Clock(), random.Random(1)
    complaints = Complaints(Told(), clock, generator.random)  # type: ignore[arg-type]
    keys: list[Key] = [("FineTuneJob", "team", f"bird-{number}") for number in range(1000)]
    assert complaints.wait(keys[0], 15) == 15
    for key in keys:
        complaints.wait(key, 15)
    began = clock.now
    due = [(clock.now + complaints.wait(key, 15), key) for key in keys]
    heapq.heapify(due)
    looks, answers = 0, 0
    while due[0][0] < began + 600:
        clock.now, key = heapq.heappop(due)
        looks += 1
        answers += complaints.may_ask({"metadata": {"uid": key[2]}})
        heapq.heappush(due, (clock.now + complaints.wait(key, 15), key))
    assert looks < 1.3 * 600 * QUESTIONS_PER_SECOND
    assert answers > 0.8 * looks
    for key in keys[1:]:
        complaints.forget(key)
    assert complaints.wait(keys[0], 15) == 15
