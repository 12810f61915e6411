"""A run on a real MLflow server: one run for all attempts, each step once, out of reach and back."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.v1alpha1.evalrun import Result
from swiftlet.api.v1alpha1.tracking import ReportTo
from swiftlet.wire.documents import EvaluateDocument
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.tracking.evaluated import write_figures
from swiftlet_trainer.tracking.following import AGAIN, LACKS, Follower
from swiftlet_trainer.tracking.processes import trackers
from swiftlet_trainer.tracking.registry import tracker_of
from swiftlet_trainer.tracking.tracked_run import Ending, TrackedRun

EVALUATION = Path(__file__).parents[2] / "contract/releases/swiftlet_0_1_0/documents/evalrun-with-baseline.json"
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
    (first, message), (last, left) = told
    assert first == last == "TrackerFailed" and "http://127.0.0.1:9/" in message
    assert message.endswith(AGAIN) and left.endswith(LACKS)


def test_an_evaluation_is_a_run_that_is_found_by_what_it_measured(
    tmp_path: Path, mlflow_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path))
    said = json.loads(EVALUATION.read_text())
    asked = {"mlflow": {"trackingUri": mlflow_server, "experiment": "exams"}}
    run = EvaluateDocument.model_validate(said | {"reportTo": asked, "fineTuneJob": "bird"})
    (tmp_path / "job.json").write_text(json.dumps(run.document()))
    folder = in_pod(run.output_dir)
    folder.mkdir(parents=True)
    with trackers(run, "/job.json", last_seconds=200) as attempt:
        figures: dict[Any, str] = {"target": "0.75", "baseline": "0.5"}
        results = [Result(suite="who", metric="f1", subject=who, value=one, n=4) for who, one in figures.items()]
        write_figures(folder, results)
        attempt.ending = Ending.FINISHED
    client = MlflowClient(tracking_uri=mlflow_server)
    experiment = client.get_experiment_by_name("exams").experiment_id
    (found,) = client.search_runs([experiment], "tags.`swiftlet.fineTuneJob` = 'bird'")
    assert (found.info.status, found.info.run_name) == ("FINISHED", f"{run.namespace}/{run.name}")
    assert found.data.metrics == {"eval/who/f1": 0.75, "eval/who/f1/baseline": 0.5}
    assert found.data.params["seed"] == str(run.seed)
