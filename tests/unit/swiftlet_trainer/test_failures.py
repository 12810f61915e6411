import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet.api.v1alpha1.evalrun import Comparison, Measured, Report, Result
from swiftlet.api.v1alpha1.finetunejob_status import DatasetCounts, Failure
from swiftlet.wire.figures import untabled
from swiftlet.wire.messages import EXIT_DIVERGED, EXIT_ERROR, EXIT_INVALID, TERMINATION_LIMIT, TerminationMessage
from swiftlet_0_1_0.api import pod as earlier
from swiftlet_trainer.failures import (
    Diverged,
    InvalidInput,
    encoded,
    failure_of,
    listed,
    never_retried,
    reporting,
    write_termination,
)


@pytest.fixture(autouse=True)
def _new_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWIFTLET_WIRE_VERSION", "1.1")


METRICS = ("exact_match", "contains", "rouge_l")


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


def evaluation(suites: int, name: str, number: str) -> TerminationMessage:
    """The figures of an evaluation with three metrics a suite and a baseline."""
    named = [{"suite": f"{name}{suite}", "metric": metric} for suite in range(suites) for metric in METRICS]
    results = [
        Result.model_validate({**one, "subject": subject, "value": number, "stderr": number, "n": 1000})
        for subject in ("target", "baseline")
        for one in named
    ]
    change = dict.fromkeys(("target", "baseline", "delta", "ciLow", "ciHigh"), number)
    return TerminationMessage(
        results=results,
        comparison=[Comparison.model_validate({**one, **change}) for one in named],
        report=Report(uri="pvc://claim/" + "u" * 400, digest="sha256:" + "a" * 64),
        measured=Measured(model_digest="sha256:" + "b" * 64, adapter_digest="sha256:" + "c" * 64),
    )


@pytest.mark.parametrize(
    ("suites", "name", "number", "truncated"),
    [
        (1, "s", "0.5", []),
        (3, "generation", "0.123457", []),
        (7, "generation", "0.123457", []),
        (8, "generation", "0.123457", []),
        (8, "x" * 62, "-1.23457e-05", ["comparison"]),
    ],
)
def test_every_figure_that_the_api_allows_fits(suites: int, name: str, number: str, truncated: list[str]) -> None:
    message = evaluation(suites, name, number)
    content = encoded(message)
    assert len(content) <= TERMINATION_LIMIT
    said = TerminationMessage.model_validate_json(content)
    results, comparison = untabled(said.figures) if said.figures else (said.results, said.comparison)
    assert results == message.results and said.truncated == truncated
    assert comparison == ([] if truncated else message.comparison)
    assert (said.report, said.measured) == (message.report, message.measured)


@pytest.mark.parametrize("suites", [1, 8])
def test_the_operator_of_the_last_release_reads_every_message(suites: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SWIFTLET_WIRE_VERSION")
    content = encoded(evaluation(suites, "generation", "0.5").model_copy(update={"last_lines": "progress step=1"}))
    said = earlier.TerminationMessage.model_validate_json(content)
    assert said.results and said.report and len(content) <= TERMINATION_LIMIT


@pytest.mark.parametrize("suites", [1, 7, 8, 30])
def test_last_lines_take_no_room_from_figures(suites: int) -> None:
    lines = "\n".join(f"progress step={step} message=größer" for step in range(25))
    message = evaluation(suites, "generation", "0.123457")
    without = TerminationMessage.model_validate_json(encoded(message))
    content = encoded(message.model_copy(update={"last_lines": lines}))
    said = TerminationMessage.model_validate_json(content)
    assert len(content) <= TERMINATION_LIMIT and said.model_copy(update={"last_lines": None}) == without
    assert lines.endswith((said.last_lines or "").removeprefix("…"))
    assert said.last_lines == lines or len(content) > TERMINATION_LIMIT - 40


def test_figures_that_do_not_fit_are_said_to_be_missing() -> None:
    message = evaluation(30, "x" * 60, "0.123457")
    said = TerminationMessage.model_validate_json(encoded(message))
    assert said.figures and said.truncated == ["comparison", "results"]
    assert untabled(said.figures)[0] == [one for one in message.results if one in untabled(said.figures)[0]]


@given(text=st.text(st.characters(), max_size=200))
def test_no_text_keeps_a_message_from_being_written(text: str) -> None:
    for failure in (Failure(reason="X", message=text, traceback=text), Failure(reason="X", message=text * 100)):
        said = TerminationMessage.model_validate_json(encoded(TerminationMessage(failure=failure)))
        assert said.failure and said.failure.reason == "X"


def test_a_name_that_is_no_utf8_keeps_exit_code_and_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path))

    def verb(job_path: str) -> int:
        raise InvalidInput([os.fsdecode(b"caf\xe9.jsonl: no such file")])

    assert reporting(verb)("job.json") == EXIT_INVALID
    said = TerminationMessage.model_validate_json((tmp_path / "dev/termination-log").read_bytes())
    assert said.failure and said.failure.message == "caf\\udce9.jsonl: no such file"


def test_a_log_that_cannot_be_written_keeps_the_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dev").write_text("")
    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path))

    def verb(job_path: str) -> int:
        raise Diverged("loss is nan at step 3")

    assert reporting(verb)("job.json") == EXIT_DIVERGED


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


@pytest.mark.parametrize("error", [ValueError("odd"), TypeError("odd"), RecursionError("odd"), KeyError("odd")])
def test_an_error_that_only_the_input_can_have_caused_is_never_retried(error: Exception) -> None:
    with pytest.raises(Exception, match="odd") as caught, never_retried():
        raise error
    failure = failure_of(caught.value)
    assert failure.exit_code == EXIT_INVALID and failure.reason == type(error).__name__
    assert failure.traceback and "in test_an_error_that_only" in failure.traceback


@pytest.mark.parametrize("error", [OSError(errno.EIO, "disk"), MemoryError(), ConnectionError()])
def test_what_may_pass_by_itself_is_retried(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, never_retried():
        raise error
    assert failure_of(caught.value).exit_code == EXIT_ERROR
