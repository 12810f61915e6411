"""A run of two pods as a JobSet of the real controller, on real nodes: they train together, and go on after a loss."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from installation import CHART, NAMESPACE, RELEASE, helm
from testbed.jobset import JobSet
from testbed.nodes import Cluster as Bed
from watching import get, items, until, until_true

pytestmark = pytest.mark.timeout(3600)  # images and a cluster are made first
TEAM = "jobsets"
STEPS = 12


@pytest.fixture(scope="module")
def namespace(bed: Bed, installed: str, prepared_namespace: Callable[[str], str]) -> Iterator[str]:
    """A namespace with a few rows to learn, on a cluster with JobSet, which the operator was told of."""
    prepared_namespace(TEAM)
    row = {"messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Apus."}]}
    rows = {"a.jsonl": "".join(json.dumps(row) + "\n" for _ in range(16))}
    metadata = {"name": "rows", "namespace": TEAM}
    bed.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": rows})
    where = ("--namespace", NAMESPACE, "--reset-then-reuse-values", "--wait", "--timeout=10m")
    with JobSet(bed.control_plane):
        helm(bed, "upgrade", RELEASE, str(CHART), *where, "--set=operator.jobSet.enabled=true")
        yield TEAM


def run() -> dict[str, Any]:
    """Two pods."""
    return {
        "apiVersion": "swiftlet.dev/v1alpha1",
        "kind": "FineTuneJob",
        "metadata": {"name": "bird", "namespace": TEAM},
        "spec": {
            "model": {"uri": "hf://HuggingFaceTB/SmolLM2-135M-Instruct"},
            "datasets": [{"uri": "configmap://rows/a.jsonl"}],
            "tuner": {"lora": {"rank": 4}},
            "training": {"maxSteps": STEPS, "globalBatchSize": 4},
            "checkpoints": {"intervalSteps": 2},
            "parallelism": {"nodes": 2},
            "backend": "jobSet",
        },
    }


def test_two_pods_of_a_jobset_train_together_and_go_on_after_one_was_deleted(bed: Bed, namespace: str) -> None:
    def saved() -> int:
        job = get(bed, namespace, "ftj", "bird") or {}
        return int(((job.get("status") or {}).get("progress") or {}).get("checkpointStep") or 0)

    bed.apply(run())
    until("a checkpoint", saved, 900)
    pods = items(bed, namespace, "pods", "swiftlet.dev/name=bird")
    assert len({pod["spec"]["nodeName"] for pod in pods}) == 2
    assert {pod["metadata"]["labels"]["jobset.sigs.k8s.io/jobset-name"] for pod in pods} == {"bird-train-0"}
    bed.kubectl("delete", "pod", pods[1]["metadata"]["name"], "-n", namespace, "--wait=false")
    job = until_true(bed, namespace, "ftj", "bird", "Succeeded", 1500)
    assert job["status"]["artifact"]["steps"] == STEPS
    assert job["status"]["plan"]["worldSize"] == 2
    assert job["status"]["restarts"]["user"] == 0 and job["status"]["restarts"]["infrastructure"] == 1
    names = {found["metadata"]["name"] for found in items(bed, namespace, "jobsets", "swiftlet.dev/name=bird")}
    assert names == {"bird-train-0", "bird-train-1"}
    log = bed.kubectl("logs", "-n", namespace, "-l", "swiftlet.dev/attempt=1", "-c", "train", "--tail=-1").stdout
    assert "resum" in log.lower()
