"""What is remembered of refused children."""

import pytest
from swiftlet.control.refusals import LONGEST_WAIT, LONGEST_WAIT_FOR_A_CHANGE, PATIENCE, TRIES_PER_SECOND, Refusals
from swiftlet.kube.client import ApiError

RUN = ("FineTuneJob", "team", "bird")
JOB = ("Job", "team", "bird-train-0")
QUOTA = ApiError(403, "Forbidden", 'jobs.batch "bird-train-0" is forbidden: exceeded quota: jobs')
INVALID = ApiError(422, "Invalid", 'Job.batch "bird-train-0" is invalid: spec.template')


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def _refusals(clock: Clock) -> Refusals:
    return Refusals(clock, jitter=lambda: 0.5)


def test_a_child_is_left_alone_until_its_time_has_come_or_it_is_wanted_otherwise() -> None:
    clock = Clock()
    refusals = _refusals(clock)
    delay = refusals.note(RUN, JOB, "a", QUOTA)
    assert refusals.is_held(RUN, JOB, "a")
    assert not refusals.is_held(RUN, JOB, "b")
    assert refusals.again(RUN) == pytest.approx(delay)
    clock.now += delay
    assert not refusals.is_held(RUN, JOB, "a")
    refusals.keep(RUN, [])
    assert refusals.again(RUN) is None
    assert refusals.told(RUN, is_told=True) == []


def test_what_a_person_mends_outside_of_the_document_is_tried_each_half_a_minute() -> None:
    refusals = _refusals(Clock())
    assert [refusals.note(RUN, JOB, "a", QUOTA) for _ in range(40)][-1] == LONGEST_WAIT
    assert [refusals.note(RUN, JOB, "b", INVALID) for _ in range(40)][-1] == LONGEST_WAIT_FOR_A_CHANGE


def test_thousands_of_refused_resources_are_tried_at_a_bounded_rate() -> None:
    refusals = _refusals(Clock())
    for number in range(1000):
        refusals.note(("FineTuneJob", "team", f"bird-{number}"), JOB, "a", QUOTA)
    assert [refusals.note(RUN, JOB, "a", QUOTA) for _ in range(40)][-1] >= 1000 / TRIES_PER_SECOND


def test_the_server_is_given_the_time_that_it_asks_for() -> None:
    busy = ApiError(429, "TooManyRequests", "too many requests", retry_after=7.0)
    assert _refusals(Clock()).note(RUN, JOB, "a", busy) == 7.0


def test_what_usually_passes_is_told_when_it_lasts_or_was_told_before() -> None:
    clock = Clock()
    refusals = _refusals(clock)
    refusals.note(RUN, JOB, "a", ApiError(500, "InternalError", "the storage is away"))
    assert refusals.told(RUN, is_told=False) == []
    assert [found.reason for found in refusals.told(RUN, is_told=True)] == ["ApiServerBusy"]
    clock.now += PATIENCE
    assert [found.reason for found in refusals.told(RUN, is_told=False)] == ["ApiServerBusy"]
    refusals.note(RUN, JOB, "a", QUOTA)
    assert [found.reason for found in refusals.told(RUN, is_told=False)] == ["QuotaExceeded"]
