import errno
import json
from pathlib import Path

import pytest
from swiftlet.api.finetunejob import DatasetCounts, Failure
from swiftlet.wire.messages import EXIT_DIVERGED, EXIT_ERROR, EXIT_INVALID, TERMINATION_LIMIT, TerminationMessage
from swiftlet_trainer.failures import Diverged, InvalidInput, encoded, failure_of, listed, reporting, write_termination


@pytest.mark.parametrize(
    ("message", "traceback"),
    [
        ("short", "x" * 9000),
        ("m" * 9000, "é\n" * 5000),
        ('quote " and ü' * 5000, "short"),
        ("日本" * 4000, "🙂" * 4000),
    ],
)
def test_long_messages_fit_and_stay_json(message: str, traceback: str) -> None:
    content = encoded(TerminationMessage(failure=Failure(reason="X", message=message, traceback=traceback)))
    assert len(content) <= TERMINATION_LIMIT
    failure = TerminationMessage.model_validate_json(content).failure
    assert failure is not None and failure.reason == "X" and failure.message


def test_the_end_of_a_traceback_is_kept() -> None:
    trace = "frame\n" * 2000 + "ValueError: the cause"
    failure = TerminationMessage.model_validate_json(
        encoded(TerminationMessage(failure=Failure(reason="X", message="m", traceback=trace)))
    ).failure
    assert failure is not None and failure.traceback is not None and failure.traceback.endswith("ValueError: the cause")


def test_short_messages_are_whole() -> None:
    message = TerminationMessage(dataset=DatasetCounts(read=3, dropped={"too_long": 1}))
    assert TerminationMessage.model_validate_json(encoded(message)) == message


def test_message_lies_below_the_pods_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path))
    write_termination(TerminationMessage(failure=Failure(reason="X")))
    assert json.loads((tmp_path / "dev/termination-log").read_text())["failure"]["reason"] == "X"


def test_problems_are_listed_up_to_twenty() -> None:
    assert listed(["a", "b"]) == "a\nb"
    assert listed([str(i) for i in range(25)]).splitlines()[-2:] == ["19", "and 5 more"]


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (InvalidInput(["a.jsonl:1: bad"], DatasetCounts(read=1)), EXIT_INVALID, "InvalidInput"),
        (Diverged("loss is nan at step 3"), EXIT_DIVERGED, "Diverged"),
        (OSError(errno.ENOSPC, "No space left on device", "/x/model.safetensors"), EXIT_ERROR, "DiskFull"),
        (ZeroDivisionError("division by zero"), EXIT_ERROR, "ZeroDivisionError"),
    ],
)
def test_exceptions_become_message_and_exit_code(
    error: Exception,
    code: int,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path))

    def verb(job_path: str) -> int:
        raise error

    assert reporting(verb)("job.json") == code
    message = json.loads((tmp_path / "dev/termination-log").read_text())
    assert message["failure"]["reason"] == reason and message["failure"]["exitCode"] == code
    assert ("traceback" in message["failure"]) == (code == EXIT_ERROR)
    assert (message.get("dataset") or {}).get("read") == (1 if reason == "InvalidInput" else None)
    assert str(error.args[-1] if reason == "DiskFull" else error) in capsys.readouterr().err


def test_full_disk_names_the_file_and_the_remedy() -> None:
    failure = failure_of(OSError(errno.ENOSPC, "No space left on device", "/x/model.safetensors"))
    assert failure.message == "no space left for /x/model.safetensors; enlarge the volume or keep fewer checkpoints"
