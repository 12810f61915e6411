"""Which reports ask for a look, and how many looks that makes in a second."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from swiftlet.observability import progress_pace
from swiftlet.observability.progress import ProgressBoard
from swiftlet.observability.progress_pace import ProgressPace, figure_seconds, pod_rate, report_seconds

TIME = "2026-01-01T12:00:00Z"


class Working:
    """Looks at once at whatever is asked for."""

    def __init__(self, stored: Callable[[str], dict[str, Any]] = lambda uid: {}) -> None:
        self.board = ProgressBoard()
        self.pace = ProgressPace(self.board, stored, self._look)
        self.board.on_report = self.pace.reported
        self.looks: list[str] = []

    def _look(self, uid: str) -> None:
        self.looks.append(uid)
        self.pace.read(uid)

    def figures(self, uid: str, step: int, percent: int) -> None:
        self.board.report(uid, [{"time": TIME, "step": step, "percent": percent}])

    def phase(self, uid: str, message: str) -> None:
        self.board.report(uid, [{"time": TIME, "type": "phase", "message": message}])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty times as fast as it is."""
    monkeypatch.setattr(progress_pace, "LEAST_SECONDS", 0.1)
    monkeypatch.setattr(progress_pace, "FIGURES_PER_SECOND", 100.0)
    monkeypatch.setattr(progress_pace, "TURNS_PER_SECOND", 200.0)


def test_a_report_that_says_nothing_new_asks_for_nothing(in_virtual_time: Any) -> None:
    async def scenario() -> list[str]:
        work = Working()
        for _ in range(20):
            work.figures("a", 1, 10)
            await asyncio.sleep(0.02)
        return work.looks

    assert in_virtual_time(scenario()) == ["a"]


def test_reports_of_one_resource_are_folded(in_virtual_time: Any) -> None:
    async def scenario() -> int:
        work = Working()
        for step in range(50):
            work.figures("a", step, step)
            await asyncio.sleep(0.01)
        return len(work.looks)

    assert 3 <= in_virtual_time(scenario()) <= 8


def test_many_resources_share_a_budget_and_none_is_forgotten(in_virtual_time: Any) -> None:
    async def scenario() -> Counter[str]:
        work = Working()
        for number in range(100):
            work.figures(str(number), 1, 1)
        await asyncio.sleep(0.8)  # the first figures
        work.looks.clear()
        for step in range(2, 22):
            for number in range(100):
                work.figures(str(number), step, step)
            await asyncio.sleep(0.1)
        return Counter(work.looks)

    looks = in_virtual_time(scenario())
    assert looks.total() <= 100 * 2 + 1, "100 in each of 2 seconds"
    assert len(looks) == 100
    assert max(looks.values()) - min(looks.values()) <= 1


def test_phases_do_not_wait_for_figures_of_others(in_virtual_time: Any) -> None:
    async def scenario() -> list[str]:
        work = Working()
        for number in range(300):
            work.figures(str(number), 1, 1)
            work.pace.read(str(number))
        await asyncio.sleep(0.15)
        work.looks.clear()
        for number in range(300):
            work.figures(str(number), 2, 2)
        work.phase("7", "evaluating")
        await asyncio.sleep(0.1)
        return work.looks[:3]

    assert "7" in in_virtual_time(scenario())


def test_one_resource_cannot_take_the_places_of_others(in_virtual_time: Any) -> None:
    """Its pods announce another phase with every report."""

    async def scenario() -> tuple[int, bool]:
        work = Working()
        for number in range(100):
            work.phase("busy", str(number))
            work.phase(f"calm {number}", "loading the model")
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        return work.looks.count("busy"), all(f"calm {number}" in work.looks for number in range(100))

    busy, others = in_virtual_time(scenario())
    assert busy <= 25
    assert others


def test_after_a_change_of_leaders_only_what_the_status_lacks_is_looked_at(in_virtual_time: Any) -> None:
    stored = {"step": 5, "totalSteps": 500, "percent": 1, "checkpointStep": 4}

    async def scenario() -> list[str]:
        work = Working(lambda uid: stored)
        for number in range(50):
            work.figures(str(number), 5, 1)
        work.figures("behind", 6, 2)
        await asyncio.sleep(0.2)
        return work.looks

    assert in_virtual_time(scenario()) == ["behind"]


def test_what_is_gone_is_not_looked_at(in_virtual_time: Any) -> None:
    async def scenario() -> list[str]:
        work = Working()
        work.figures("a", 1, 1)
        work.figures("b", 1, 1)
        work.pace.forget("a")
        work.board.forget("a")
        await asyncio.sleep(0.2)
        work.pace.close()
        return work.looks

    assert in_virtual_time(scenario()) == ["b"]


def test_intervals_stretch_with_the_number_of_those_that_report() -> None:
    assert [report_seconds(number) for number in (1, 1000, 100_000)] == [0.1, 20.0, 60.0]
    assert figure_seconds(1000) == 10.0
    assert [pod_rate(number) for number in (0, 100, 1000)] == [2.0, 2.0, 0.2]
