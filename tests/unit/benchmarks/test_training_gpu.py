"""Runs that are forks of the process that imported everything."""

import os
from pathlib import Path

import pytest
from training_gpu import in_fork
from training_runs import RunError


def test_what_was_computed_comes_back_and_what_was_printed_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "log"

    def work() -> dict[str, int]:
        os.write(1, b"loading\n")
        return {"process": os.getpid()}

    assert in_fork(log, work)["process"] != os.getpid()
    assert log.read_text() == "loading\n"


def test_a_run_that_fails_is_told_by_its_last_line(tmp_path: Path) -> None:
    def work() -> None:
        raise ValueError("out of memory: asked for 80 GiB")

    with pytest.raises(RunError, match="out of memory: asked for 80 GiB"):
        in_fork(tmp_path / "log", work)


def test_a_run_that_was_killed_has_failed(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no output"):
        in_fork(tmp_path / "log", lambda: os.kill(os.getpid(), 9))
