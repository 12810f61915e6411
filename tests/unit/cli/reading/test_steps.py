"""The steps of a run, from its history and from its log."""

import json
from pathlib import Path
from typing import Any

from swiftlet.cli.reading.leftstore import LeftStore
from swiftlet.cli.reading.steps import from_history, from_log, steps_of
from swiftlet.local.store import Store
from swiftlet_trainer.progress import ProgressEvent, plain

EVENT = ProgressEvent(time="2026-01-31T12:00:00Z", step=2, total_steps=4, loss="1.5", eval_loss="2", message="a loss=9")


def test_the_trainers_own_lines_are_read() -> None:
    (step,) = from_log(
        ["phase message=training", plain(EVENT.model_copy(update={"message": None})), "progress of mine"]
    )
    assert (step["step"], step["totalSteps"], step["loss"], step["evalLoss"]) == (2, "4", "1.5", "2")


def test_half_a_line_is_no_step() -> None:
    whole = EVENT.model_dump_json(by_alias=True, exclude_none=True)
    assert [step["loss"] for step in from_history(f"{whole}\n[]\n{{}}\n{whole[:20]}")] == ["1.5"]


def test_while_it_runs_the_pods_document_says_where(tmp_path: Path) -> None:
    store = Store(tmp_path)
    head = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "FineTuneJob"}
    job = store.apply({**head, "metadata": {"name": "bird", "namespace": "default"}, "spec": {}})
    folder = tmp_path / "volumes/swiftlet-artifacts/runs/bird"
    told = {"job.json": json.dumps({"artifactUri": "pvc://swiftlet-artifacts/runs/bird/artifact"})}
    store.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": _owned(job), "data": told})
    world = LeftStore(tmp_path)
    assert steps_of(world, job) == []
    folder.mkdir(parents=True)
    lines = [{"type": "progress", "step": step, "loss": loss} for step, loss in ((2, "2"), (1, "3"), (2, "1"))]
    (folder / "events.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert [(step["step"], step["loss"]) for step in steps_of(world, job)] == [(1, "3"), (2, "1")]


def _owned(job: dict[str, Any]) -> dict[str, Any]:
    uid = job["metadata"]["uid"]
    owner = {"apiVersion": job["apiVersion"], "kind": job["kind"], "name": "bird", "uid": uid, "controller": True}
    labels = {"swiftlet.dev/owner-uid": uid}
    return {"name": "bird-train", "namespace": "default", "labels": labels, "ownerReferences": [owner]}
