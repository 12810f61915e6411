"""A run of two pods that the real Kueue preempts on real nodes: it writes a checkpoint, yields, and goes on."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from installation import TRAINER_IMAGE
from testbed.kueue import Kueue
from testbed.nodes import Cluster as Bed
from watching import condition, get, items, until, until_true

pytestmark = pytest.mark.timeout(3600)  # images and a cluster are made first
NAMESPACE = "queues"
QUEUES = {"swiftlet.dev/queues": "yes"}
GROUP = "kueue.x-k8s.io/v1beta2"
STEPS = 30
CPUS = "1"
"""The quota: what the two pods of the run ask for together."""


def of_kueue(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    where = {"namespace": NAMESPACE} if kind == "LocalQueue" else {}
    rest = spec if kind == "WorkloadPriorityClass" else {"spec": spec}
    return {"apiVersion": GROUP, "kind": kind, "metadata": {"name": name, **where}, **rest}


@pytest.fixture(scope="module")
def queue(bed: Bed, installed: str, prepared_namespace: Callable[[str], str]) -> Iterator[str]:
    """A LocalQueue with room for the run, or for what preempts it; its name."""
    prepared_namespace(NAMESPACE)
    bed.kubectl("label", "namespace", NAMESPACE, *(f"{key}={text}" for key, text in QUEUES.items()))
    resources = [{"name": "cpu", "nominalQuota": CPUS}, {"name": "memory", "nominalQuota": "1Ti"}]
    groups = [{"coveredResources": ["cpu", "memory"], "flavors": [{"name": "nodes", "resources": resources}]}]
    with Kueue(bed.control_plane, QUEUES):
        bed.apply(
            of_kueue("ResourceFlavor", "nodes"),
            of_kueue(
                "ClusterQueue",
                "shared",
                namespaceSelector={},
                preemption={"withinClusterQueue": "LowerPriority"},
                resourceGroups=groups,
            ),
            of_kueue("LocalQueue", "team", clusterQueue="shared"),
            of_kueue("WorkloadPriorityClass", "high", value=100),
        )
        bed.kubectl("wait", "--for=condition=Active", "localqueue/team", "-n", NAMESPACE, "--timeout=180s")
        yield "team"


def run(queue: str) -> dict[str, Any]:
    """Two pods; no checkpoint falls due before the end."""
    return {
        "apiVersion": "swiftlet.dev/v1alpha1",
        "kind": "FineTuneJob",
        "metadata": {"name": "bird", "namespace": NAMESPACE},
        "spec": {
            "model": {"uri": "hf://HuggingFaceTB/SmolLM2-135M-Instruct"},
            "datasets": [{"uri": "configmap://rows/a.jsonl"}],
            "tuner": {"lora": {"rank": 4}},
            "training": {"maxSteps": STEPS, "globalBatchSize": 4},
            "checkpoints": {"intervalSteps": 10 * STEPS},
            "parallelism": {"nodes": 2},
            "compute": {"resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}},
            "queue": {"name": queue},
        },
    }


def rows() -> dict[str, Any]:
    row = {"messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Apus."}]}
    data = {"a.jsonl": "".join(json.dumps(row) + "\n" for _ in range(16))}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "rows", "namespace": NAMESPACE}, "data": data}


def urgent(queue: str) -> dict[str, Any]:
    """A Job of somebody else that goes first and takes the whole quota, until it is deleted."""
    labels = {"kueue.x-k8s.io/queue-name": queue, "kueue.x-k8s.io/priority-class": "high"}
    hardened = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {
        "name": "work",
        "image": TRAINER_IMAGE,
        "command": ["python3", "-c", "import time; time.sleep(3600)"],
        "resources": {"requests": {"cpu": CPUS, "memory": "64Mi"}},
        "securityContext": hardened,
    }
    template = {"spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container]}}
    metadata = {"name": "urgent", "namespace": NAMESPACE, "labels": labels}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}}


def step(job: dict[str, Any] | None, field: str = "step") -> int:
    return int((((job or {}).get("status") or {}).get("progress") or {}).get(field) or 0)


def test_a_preempted_run_checkpoints_yields_and_resumes(bed: Bed, queue: str) -> None:
    def bird() -> dict[str, Any] | None:
        return get(bed, NAMESPACE, "ftj", "bird")

    bed.apply(rows(), run(queue))
    until("the first steps", lambda: step(bird()) >= 2, 600)
    assert condition(bird(), "QuotaReserved")["reason"] == "Admitted"
    nodes = {pod["spec"]["nodeName"] for pod in items(bed, NAMESPACE, "pods", "swiftlet.dev/name=bird")}
    assert len(nodes) == 2
    bed.apply(urgent(queue))
    held = until_true(bed, NAMESPACE, "ftj", "bird", "Suspended", 300)
    assert condition(held, "Suspended")["reason"] == condition(held, "QuotaReserved")["reason"] == "Preempted"
    assert "Preempted to accommodate a workload" in condition(held, "Suspended")["message"]
    saved = until("the checkpoint's step", lambda: step(bird(), "checkpointStep"), 60)
    assert 2 <= saved < STEPS
    bed.kubectl("delete", "job/urgent", "-n", NAMESPACE)
    job = until_true(bed, NAMESPACE, "ftj", "bird", "Succeeded", 900)
    assert job["status"]["artifact"]["steps"] == STEPS
    assert job["status"]["restarts"] == {"user": 0, "infrastructure": 0}
    (only,) = items(bed, NAMESPACE, "jobs", "swiftlet.dev/name=bird")
    assert only["metadata"]["name"] == "bird-train-0"
    log = bed.kubectl("logs", "-n", NAMESPACE, "-l", "swiftlet.dev/name=bird", "-c", "train", "--tail=-1").stdout
    assert f"step {saved}" in log and "resum" in log.lower()
