from swiftlet.api.base import Condition
from swiftlet.kinds.frame.events import events_of


def condition(type_: str, status: str, reason: str, message: str = "") -> Condition:
    return Condition(type=type_, status=status, reason=reason, message=message)


def test_a_transition_is_told_once() -> None:
    old = [condition("Succeeded", "Unknown", "Training")]
    new = [condition("Succeeded", "False", "Diverged", "NaN")]
    (event,) = events_of(old, new)
    assert (event.type, event.reason, event.message) == ("Warning", "Failed", "NaN")
    assert events_of(new, new) == []


def test_a_new_message_is_no_news() -> None:
    old, new = ([condition("Running", "True", "Training", words)] for words in ("step 1", "step 2"))
    assert events_of(old, new) == []


def test_a_reason_may_have_an_event_of_its_own() -> None:
    old = [condition("Running", "True", "Training")]
    (event,) = events_of(old, [condition("Running", "False", "BackingOff", "boom")])
    assert (event.type, event.reason) == ("Warning", "Restarting")


def test_the_first_look_tells_only_what_has_an_event() -> None:
    assert events_of([], [condition("Checkpointed", "False", "NoCheckpoint")]) == []


def test_to_be_accepted_is_news_where_it_was_not_before() -> None:
    planned = condition("Accepted", "True", "Planned", "1 process")
    assert events_of([], [planned]) == []
    waiting = condition("Accepted", "Unknown", "ReferenceNotFound")
    assert [event.reason for event in events_of([], [waiting])] == ["Waiting"]
    assert [event.reason for event in events_of([waiting], [planned])] == ["Accepted"]


def test_what_stays_suspended_for_another_reason_is_no_news() -> None:
    old = [condition("Suspended", "True", "Evicted", "preempted")]
    assert events_of(old, [condition("Suspended", "True", "Queued", "waits for quota")]) == []
    assert [event.reason for event in events_of(old, [condition("Suspended", "False", "Resumed")])] == ["Resumed"]
