"""The progress stream and the history of steps."""

import json
from pathlib import Path

import pytest
from swiftlet.wire.messages import ProgressEvent
from swiftlet_trainer.progress import History, Reporter, now


@pytest.fixture
def stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path))
    monkeypatch.setenv("SWIFTLET_PROGRESS_FILE", "/swiftlet/run/progress.jsonl")
    return tmp_path / "swiftlet" / "run" / "progress.jsonl"


def test_events_are_lines_of_the_stream_and_of_the_log(stream: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter()
    reporter.emit(step=3, loss="0.5")
    reporter.emit(type="phase", message="loading the model")
    events = [ProgressEvent.model_validate_json(line) for line in stream.read_text().splitlines()]
    assert [(event.type, event.step, event.message) for event in events] == [
        ("progress", 3, None),
        ("phase", 0, "loading the model"),
    ]
    assert capsys.readouterr().out == "progress step=3 loss=0.5\nphase message=loading the model\n"


def test_other_ranks_are_silent(stream: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Reporter(enabled=False).emit(step=3)
    assert not stream.exists()
    assert capsys.readouterr().out == ""


def test_the_newest_lines_of_the_log_are_kept_up_to_a_bound(stream: Path) -> None:
    reporter, silent = Reporter(), Reporter(enabled=False)
    silent.emit(step=1)
    assert (reporter.last_lines, silent.last_lines) == (None, None)
    for step in range(20):
        reporter.emit(step=step)
    assert reporter.last_lines == "\n".join(f"progress step={step}" for step in range(10, 20))
    reporter.emit(type="phase", message="x" * 2000)
    assert reporter.last_lines == "x" * 1000


def test_a_stream_that_cannot_be_written_does_not_fail_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SWIFTLET_ROOT", raising=False)
    monkeypatch.setenv("SWIFTLET_PROGRESS_FILE", "/dev/full")
    Reporter().emit(step=3)
    captured = capsys.readouterr()
    assert captured.out == "progress step=3\n"
    assert "/dev/full: progress cannot be written" in captured.err


def test_a_resumed_run_has_each_step_once(tmp_path: Path) -> None:
    history = History(tmp_path)
    for step in range(1, 6):
        history.append(ProgressEvent(time=now(), step=step, loss=repr(1 / step)))
    with history.path.open("a") as stream:
        stream.write('{"step": 6, "lo')  # cut short by a kill
    history.truncate(3)
    history.append(ProgressEvent(time=now(), step=4, loss="0.25"))
    lines = [json.loads(line) for line in history.path.read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert float(lines[2]["loss"]) == 1 / 3
    assert history.last("loss") == "0.25"
    assert history.last("evalLoss") is None


def test_a_fresh_run_has_no_history(tmp_path: Path) -> None:
    History(tmp_path).truncate(0)
    assert not History(tmp_path).path.exists()
