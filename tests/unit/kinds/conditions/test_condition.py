from datetime import UTC, datetime, timedelta

from swiftlet.kinds.conditions.condition import MESSAGE_LIMIT, State, find_condition, has_condition, set_condition

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def test_the_transition_time_moves_only_when_the_status_flips() -> None:
    first = set_condition([], State("Ready", "False", "RollingOut"), 1, NOW)
    same = set_condition([first], State("Ready", "False", "ServerFailed", "x"), 2, LATER)
    flipped = set_condition([same], State("Ready", "True", "Available"), 2, LATER)
    assert first.last_transition_time == same.last_transition_time == "2026-01-01T00:00:00Z"
    assert (same.reason, same.message, same.observed_generation) == ("ServerFailed", "x", 2)
    assert flipped.last_transition_time == "2026-01-01T00:01:00Z"


def test_long_messages_are_cut() -> None:
    assert len(set_condition([], State("Ready", "False", "A", "x" * 10000), 1, NOW).message) == MESSAGE_LIMIT


def test_finding() -> None:
    resource = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    assert has_condition(resource, "Ready") and not has_condition(resource, "Ready", "False")
    assert find_condition(resource, "Other") is None
    assert find_condition(None, "Ready") is None and find_condition({}, "Ready") is None
