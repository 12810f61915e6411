"""Durations as kubectl prints them."""

from datetime import UTC, datetime

import pytest
from swiftlet.cli.printing.ages import age, human_duration

# What apimachinery's duration.HumanDuration gives (pkg/util/duration/duration_test.go).
KUBECTL = [
    (1, "1s"), (70, "70s"), (119, "119s"), (120, "2m"), (190, "3m10s"), (600, "10m"), (70 * 60, "70m"),
    (179 * 60, "179m"), (180 * 60, "3h"), (3 * 3600 + 600, "3h10m"), (47 * 3600, "47h"), (48 * 3600, "2d"),
    (49 * 3600, "2d1h"), (50 * 3600, "2d2h"), (8 * 86400, "8d"), (9 * 86400, "9d"), (2 * 365 * 86400, "2y"),
    (2 * 365 * 86400 + 86400, "2y1d"), (8 * 365 * 86400, "8y"), (-0.5, "0s"), (-1.5, "0s"), (-10, "<invalid>"),
]  # fmt: skip


@pytest.mark.parametrize(("seconds", "text"), KUBECTL)
def test_durations_are_kubectls(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


def test_age_of_a_timestamp() -> None:
    now = datetime(2026, 1, 31, 12, 5, 2, tzinfo=UTC)
    assert age("2026-01-31T12:00:00Z", now) == "5m2s"
    assert age("2026-01-31T12:05:01.250000Z", now) == "0s"


def test_age_without_a_timestamp_is_unknown() -> None:
    assert age(None) == "<unknown>"
