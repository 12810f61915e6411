"""The process of a tracker beside training: it tells the rest when the attempt ends, and is not waited for for ever."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from swiftlet.wire.documents import TrainDocument
from swiftlet_trainer.tracking.processes import trackers
from swiftlet_trainer.tracking.tracked_run import Ending

LINE = {"time": "2026-11-29T14:00:01.000Z", "step": 1, "loss": "0.5"}


def document(**report_to: Any) -> TrainDocument:
    source = Path(__file__).parents[3] / "contract/releases/swiftlet_0_1_0/documents/finetunejob-minimal.json"
    said = json.loads(source.read_text())
    return TrainDocument.model_validate(said | {"training": {**said["training"], "reportTo": report_to or None}})


def test_without_a_tracker_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.Popen", None)
    with trackers(document(), "/job.json"):
        pass


def test_the_rest_is_told_when_the_attempt_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path))
    monkeypatch.setenv("SWIFTLET_PROGRESS_FILE", "/run/progress.jsonl")
    run = document(tensorboard={})
    job, folder = tmp_path / "job.json", tmp_path / run.output_dir.lstrip("/")
    job.write_text(json.dumps(run.document()))
    folder.mkdir(parents=True)
    with trackers(run, "/job.json", last_seconds=300) as attempt:
        (folder / "events.jsonl").write_text(json.dumps(LINE) + "\n")
        attempt.ending = Ending.FINISHED
    assert (folder / "tracking/tensorboard.step").read_text() == "1"
    assert sum(file.stat().st_size for file in (folder / "tensorboard").iterdir()) > 0
    (said,) = [json.loads(line) for line in (tmp_path / "run/progress.jsonl").read_text().splitlines()]
    assert said["tracking"]["reason"] == "Reporting" and said["tracking"]["tracker"] == "tensorboard"


def test_a_tracker_that_hangs_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    hangs = tmp_path / "python"
    hangs.write_text("#!/bin/sh\nexec sleep 600\n")
    hangs.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(hangs))
    started = time.monotonic()
    with trackers(document(tensorboard={}), "/job.json", last_seconds=0.2):
        pass
    assert time.monotonic() - started < 60
    assert "reportTo.tensorboard: did not end in 0 s" in capfd.readouterr().err
