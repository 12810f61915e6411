"""What a killed engine left is told as it is."""

from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.schema.defaulting import defaulted
from swiftlet.cli.reading.leftstore import LeftStore
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.frame.reading import OWNER_LABEL
from swiftlet.local.lock import StateLock
from swiftlet.local.store import Store

Object = dict[str, Any]
SPECS: dict[str, Object] = {
    "FineTuneJob": {"model": {"uri": "hf://o/n"}, "datasets": [{"uri": "configmap://d/rows.jsonl"}]},
    "EvalRun": {"target": {"model": {"uri": "hf://o/n"}}, "suites": [{"perplexity": {"uri": "configmap://d/r.jsonl"}}]},
    "ModelDeployment": {"model": {"uri": "hf://o/n"}},
}


def condition(type_: str, status: str, reason: str, message: str = "m") -> Object:
    return {"type": type_, "status": status, "reason": reason, "message": message, "observedGeneration": 1}


def left(root: Path, kind: str, *conditions: Object, phase: str = "Running", **status: Any) -> LeftStore:
    """A resource and its pod, as they were when the engine was killed."""
    store = Store(root)
    head = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": kind, "metadata": {"name": "bird"}}
    stored = store.apply(defaulted({**head, "spec": SPECS[kind]}))
    store.update_status(kind, None, "bird", {"observedGeneration": 1, "conditions": list(conditions), **status})
    labels = {OWNER_LABEL: stored["metadata"]["uid"]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": labels}, "spec": {"containers": []}}
    store.apply(pod)
    running = {"name": "train", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}, "restartCount": 0}
    store.update_status("Pod", None, "p", {"phase": phase, "containerStatuses": [running]})
    return LeftStore(root)


@pytest.mark.parametrize(
    ("kind", "conditions", "progress", "said"),
    [
        (
            "FineTuneJob",
            [condition("Running", "True", "Training"), condition("Succeeded", "Unknown", "Training", "training")],
            {"step": 82, "totalSteps": 400, "etaSeconds": 9},
            "stopped at 82/400: no engine runs; `swiftlet run PATH` goes on",
        ),
        (
            "EvalRun",
            [condition("Running", "True", "Evaluating"), condition("Succeeded", "Unknown", "Evaluating")],
            {"percent": 40, "message": "scoring"},
            "stopped at 40%: no engine runs; `swiftlet run PATH` goes on",
        ),
        (
            "ModelDeployment",
            [condition("Progressing", "False", "RolledOut"), condition("Ready", "True", "Available")],
            None,
            "stopped: no engine runs; `swiftlet run PATH --keep` serves it again",
        ),
        (
            "FineTuneJob",
            [
                condition("Running", "False", "Unschedulable", "no GPU"),
                condition("Succeeded", "Unknown", "X", "no GPU"),
            ],
            None,
            "X: no GPU; then stopped: no engine runs; `swiftlet run PATH` goes on",
        ),
    ],
)
def test_nothing_runs_without_an_engine(
    tmp_path: Path, kind: str, conditions: list[Object], progress: Object | None, said: str
) -> None:
    store = left(tmp_path, kind, *conditions, **({"progress": progress} if progress else {}))
    item = store.get(kind, "default", "bird")
    assert item is not None and store.list(kind) == [item]
    summary = find_condition(item, conditions[-1]["type"])
    assert summary is not None
    assert (summary["reason"], summary["message"]) == ("Stopped", said)
    assert summary["status"] == ("False" if kind == "ModelDeployment" else "Unknown")
    assert not any(one["status"] == "True" for one in item["status"]["conditions"])
    assert not {"etaSeconds", "message"} & (item["status"].get("progress") or {}).keys()
    (pod,) = store.list("Pod")
    assert (pod["status"]["phase"], pod["status"]["reason"]) == ("Failed", "EngineRestarted")
    assert "terminated" in pod["status"]["containerStatuses"][0]["state"]


def test_what_had_ended_or_waits_is_as_it_was(tmp_path: Path) -> None:
    for number, (status, reason, phase) in enumerate(
        [("True", "Trained", "Running"), ("Unknown", "WaitingForFineTuneJob", "Succeeded")]
    ):
        root = tmp_path / str(number)
        store = left(root, "FineTuneJob", condition("Succeeded", status, reason), phase=phase)
        assert store.get("FineTuneJob", None, "bird") == Store(root, read_only=True).get("FineTuneJob", None, "bird")


def test_while_an_engine_runs_what_it_wrote_counts(tmp_path: Path) -> None:
    running = condition("Running", "True", "Training"), condition("Succeeded", "Unknown", "Training")
    store = left(tmp_path, "FineTuneJob", *running)
    with StateLock(tmp_path):
        assert store.list() == Store(tmp_path, read_only=True).list()
    assert store.list() != Store(tmp_path, read_only=True).list()
