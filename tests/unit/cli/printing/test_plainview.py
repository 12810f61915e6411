"""Progress as plain lines: news at once, figures now and then, nothing twice."""

import re

import pytest
from swiftlet.cli.printing.plainview import PROGRESS_SECONDS, PlainView, is_plain
from swiftlet.cli.printing.resourcestate import ResourceState

WAITS = ResourceState("evalrun/bird", "WaitingForFineTuneJob", "waiting for FineTuneJob default/bird: Preparing", None)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def training(step: int, total: int = 10) -> ResourceState:
    return ResourceState("finetunejob/bird", "Training", "", None, step, total, figures=("loss 1",))


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [re.sub(r"^\d\d:\d\d:\d\d +", "", line) for line in capsys.readouterr().out.splitlines()]


def test_figures_come_at_most_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    view = PlainView(clock)
    for step in range(1, 5):
        view.show([training(step)])
        clock.now += PROGRESS_SECONDS / 2
    assert [re.findall(r"step (\d)", line) for line in lines(capsys)] == [["1"], ["3"]]


def test_the_last_step_is_always_shown(capsys: pytest.CaptureFixture[str]) -> None:
    view = PlainView(Clock())
    view.show([training(1)])
    view.show([training(10)])
    assert "step 10/10 (100%)  loss 1" in lines(capsys)[-1]


def test_a_wait_is_told_once_though_its_details_change(capsys: pytest.CaptureFixture[str]) -> None:
    view = PlainView(Clock())
    view.show([WAITS])
    view.show([ResourceState(WAITS.name, WAITS.word, "waiting for FineTuneJob default/bird: Training", None)])
    assert len(lines(capsys)) == 1


def test_what_an_event_told_is_not_told_again(capsys: pytest.CaptureFixture[str]) -> None:
    view = PlainView(Clock())
    view.say(f"{WAITS.name:<24} Waiting: {WAITS.message}")
    view.show([WAITS])
    assert len(lines(capsys)) == 1


def test_what_had_ended_before_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    PlainView(Clock()).show([ResourceState("finetunejob/bird", "Trained", "42 steps", "succeeded")])
    assert lines(capsys) == ["finetunejob/bird         Trained: 42 steps"]


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"CI": "true"}])
def test_plain_where_the_environment_says_so(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert is_plain(False, environment)
    assert not is_plain(False, {})
    assert is_plain(True, {})
