from datetime import UTC, datetime, timedelta, timezone

import pytest
from swiftlet.kinds.conditions.timestamps import from_text, seconds_between, to_text


def test_text_is_utc_in_whole_seconds() -> None:
    moment = datetime(2026, 1, 1, 2, 0, 0, 999, tzinfo=timezone(timedelta(hours=2)))
    assert to_text(moment) == "2026-01-01T00:00:00Z"
    assert from_text("2026-01-01T00:00:00Z") == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:01:30Z", 90.0),
        ("2026-01-01T00:01:30Z", "2026-01-01T00:00:00Z", 0.0),
        (None, "2026-01-01T00:00:00Z", 0.0),
        ("2026-01-01T00:00:00Z", None, 0.0),
    ],
)
def test_seconds(start: str | None, end: str | None, seconds: float) -> None:
    assert seconds_between(start, end) == seconds
