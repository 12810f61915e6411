"""A run on a real MLflow server: one run for all attempts, each step once, out of reach and back."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.tracking import ReportTo
from swiftlet_trainer.tracking.following import Follower
from swiftlet_trainer.tracking.registry import tracker_of
from swiftlet_trainer.tracking.tracked_run import Ending, TrackedRun

RUN = TrackedRun(
    "0f1e2d3c-0000-4000-8000-000000000001",
    "team/bird",
    {"swiftlet.namespace": "team", "swiftlet.baseModel": "hf://org/bird"},
    {"training.learningRate": "0.0001", "training.seed": "42"},
    Path("/nowhere"),
)


def follower(folder: Path, address: str, told: list[tuple[str, str]]) -> Follower:
    asked = ReportTo.model_validate({"mlflow": {"trackingUri": address, "experiment": "birds"}})
    history, step = folder / "events.jsonl", folder / "mlflow.step"
    return Follower(tracker_of(asked, "mlflow"), RUN, history, step, lambda *said: told.append(said))


def write(folder: Path, *steps: int) -> None:
    lines = [
        {"time": f"2026-11-29T14:00:{step:02}.000Z", "step": step, "loss": str(1 / step), "channelLosses": {"a:b": "1"}}
        | ({"evalLoss": "0.5"} if step % 2 == 0 else {})
        for step in steps
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_attempts_are_one_run_with_each_step_once(tmp_path: Path, mlflow_server: str) -> None:
    from mlflow import MlflowClient

    told: list[tuple[str, str]] = []
    write(tmp_path, 1, 2, 3)
    follower(tmp_path, mlflow_server, told).end(Ending.STOPPED)
    client = MlflowClient(tracking_uri=mlflow_server)
    experiment = client.get_experiment_by_name("birds")
    (stopped,) = client.search_runs([experiment.experiment_id])
    assert stopped.info.status == "KILLED"
    second = follower(tmp_path, mlflow_server, told)
    second.turn()
    assert client.get_run(stopped.info.run_id).info.status == "RUNNING"
    write(tmp_path, 1, 2, 3, 4)
    second.end(Ending.FINISHED)
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.run_id, run.info.status, run.info.run_name) == (stopped.info.run_id, "FINISHED", "team/bird")
    assert run.data.params == dict(RUN.settings)
    assert run.data.tags.items() >= RUN.tags.items()
    losses = client.get_metric_history(run.info.run_id, "train/loss")
    assert [(one.step, one.value) for one in losses] == [(step, 1 / step) for step in (1, 2, 3, 4)]
    assert losses[0].timestamp == 1795960801000
    assert [one.step for one in client.get_metric_history(run.info.run_id, "eval/loss")] == [2, 4]
    assert "train/channel_losses/a_b" in run.data.metrics
    where = f"{mlflow_server}/#/experiments/{experiment.experiment_id}/runs/{run.info.run_id}"
    assert told == [("Reporting", where)] * 2


def test_a_server_out_of_reach_costs_seconds_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    write(tmp_path, 1)
    lost = follower(tmp_path, "http://127.0.0.1:9", told)
    lost.turn()
    started = time.monotonic()
    lost.turn()
    lost.end(Ending.FAILED)
    assert time.monotonic() - started < 30
    ((reason, message),) = told
    assert reason == "TrackerFailed" and "http://127.0.0.1:9/" in message
