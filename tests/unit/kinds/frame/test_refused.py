"""The status of a resource whose children are refused."""

from typing import Any

from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.conditions.refusals import understood
from swiftlet.kinds.frame.refused import is_told, refused_outcome

QUOTA = understood('jobs.batch "bird-train-0" is forbidden: exceeded quota: jobs', 403)
INVALID = understood('Job.batch "bird-train-0" is invalid: spec.template', 422)


def _said(outcome: Any, type_: str) -> tuple[str, str]:
    found = find_condition({"status": outcome.status}, type_)
    assert found is not None
    return found["status"], found["reason"]


def test_accepted_and_whatever_waits_for_the_children_tell_it_once(world: Any, documents: Any) -> None:
    world.data()
    resource = world.add(documents["FineTuneJob"])
    decided = world.look("FineTuneJob")
    outcome = refused_outcome(resource, decided, [QUOTA], world.now)
    assert {type_: _said(outcome, type_) for type_ in ("Accepted", "PodsReady", "Running", "Succeeded")} == {
        "Accepted": ("Unknown", "QuotaExceeded"),
        "PodsReady": ("False", "QuotaExceeded"),
        "Running": ("False", "QuotaExceeded"),
        "Succeeded": ("Unknown", "QuotaExceeded"),
    }
    assert [(event.type, event.reason, event.message) for event in outcome.events] == [
        ("Warning", "Refused", QUOTA.message)
    ]
    assert outcome.status["plan"] == decided.status["plan"]
    assert is_told({**resource, "status": outcome.status})
    assert not is_told({**resource, "status": decided.status})


def test_a_refusal_of_the_document_ends_the_wait_and_is_one_event_too(world: Any, documents: Any) -> None:
    world.data()
    resource = world.add(documents["FineTuneJob"])
    outcome = refused_outcome(resource, world.look("FineTuneJob"), [QUOTA, INVALID], world.now)
    assert _said(outcome, "Succeeded") == ("False", "ChildRejected")
    message = (find_condition({"status": outcome.status}, "Accepted") or {})["message"]
    assert QUOTA.message in message
    assert INVALID.message in message
    assert [event.reason for event in outcome.events] == ["Refused"]


def test_a_run_that_goes_on_is_told_as_such(world: Any, documents: Any) -> None:
    world.data()
    world.add(documents["FineTuneJob"])
    world.reconcile("FineTuneJob")
    world.job_runs("bird-train-0")
    world.reconcile("FineTuneJob")
    resource = world.objects["FineTuneJob", "default", "bird"]
    outcome = refused_outcome(resource, world.look("FineTuneJob"), [QUOTA], world.now)
    assert _said(outcome, "Accepted") == ("Unknown", "QuotaExceeded")
    assert _said(outcome, "Running") == ("True", "Training")
    assert _said(outcome, "Succeeded") == ("Unknown", "Training")


def test_nothing_refused_changes_nothing(world: Any, documents: Any) -> None:
    world.data()
    resource = world.add(documents["FineTuneJob"])
    decided = world.look("FineTuneJob")
    assert refused_outcome(resource, decided, [], world.now) is decided
