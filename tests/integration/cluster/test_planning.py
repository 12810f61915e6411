"""plan on a real API server, which says itself what it would refuse."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from testbed.controlplane import ControlPlane

Object = dict[str, Any]
Run = Callable[..., tuple[int, str, str]]
JOB = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: data}}
data: {{rows.jsonl: '{{"prompt": "a", "completion": "b"}}'}}
---
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {{name: swift}}
spec:
  model: {{uri: hf://org/name}}
  datasets: [{{uri: 'configmap://data/rows.jsonl'}}]
  training: {{epochs: {epochs}}}
  compute: {{resources: {{requests: {{cpu: 2}}, limits: {{memory: {memory}}}}}}}
"""


@pytest.fixture
def claim(core: client.CoreV1Api, namespace: str) -> None:
    """The artifacts claim."""
    spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
    made = {"metadata": {"name": "swiftlet-artifacts"}, "spec": spec}
    core.create_namespaced_persistent_volume_claim(namespace, made)


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., str]:
    def write(epochs: int = 1, memory: str = "4Gi") -> str:
        (tmp_path / "job.yaml").write_text(JOB.format(epochs=epochs, memory=memory))
        return str(tmp_path / "job.yaml")

    return write


def test_new_unchanged_changed_and_refused(
    swiftlet: Run, claim: None, person: Any, job: Callable[..., str], control_plane: ControlPlane, namespace: str
) -> None:
    editor = person("editor", "edit", "swiftlet-view", "swiftlet-edit")

    def states() -> tuple[int, list[Object]]:
        code, out, _ = swiftlet(editor, "plan", "-f", job(**changes), "-o", "json")
        return code, [one["cluster"] for one in json.loads(out)["resources"]]

    changes: Object = {}
    assert states() == (0, [{"state": "new", "changes": [], "against": []}] * 2)
    assert states()[1][0]["state"] == "new", "a plan was stored"
    control_plane.kubectl("apply", "--server-side", "-n", namespace, "-f", job())
    assert states() == (0, [{"state": "unchanged", "changes": [], "against": []}] * 2)
    changes = {"memory": "8Gi"}
    code, (_, found) = states()
    change = {"field": "spec.compute.resources.limits.memory", "before": '"4Gi"', "after": '"8Gi"'}
    assert (code, found) == (0, {"state": "changed", "changes": [change], "against": []})
    changes = {"epochs": 2}
    code, (_, found) = states()
    assert (code, found["state"]) == (1, "refused")
    assert "spec.training" in found["against"][0]


def test_what_is_missing_and_what_may_not_be_done_or_seen(
    swiftlet: Run, person: Callable[..., Path], job: Callable[..., str], namespace: str
) -> None:
    code, out, err = swiftlet(person("viewer", "view", "swiftlet-view"), "plan", job())
    assert code == 1
    assert "may not patch finetunejobs.swiftlet.dev in namespace" in out
    assert "--clusterrole=swiftlet-edit" in out
    assert f"PersistentVolumeClaim {namespace}/swiftlet-artifacts does not exist" in out
    assert f"WARNING Nodes are not looked at: viewer-{namespace} may not list nodes in all namespaces\n" in err
    assert "configmaps in namespace swiftlet-system" in err


def test_a_reference_to_what_is_not_there_gets_the_nearest(
    swiftlet: Run, jobs: Object, control_plane: ControlPlane, tmp_path: Path
) -> None:
    (tmp_path / "eval.yaml").write_text(
        "apiVersion: swiftlet.dev/v1alpha1\nkind: EvalRun\nmetadata: {name: bird}\nspec:\n"
        "  target: {fineTuneJobRef: {name: brid}}\n"
        "  suites: [{generation: {uri: 'configmap://kube-root-ca.crt/rows.jsonl'}}]\n"
    )
    code, _, err = swiftlet(control_plane.kubeconfig, "plan", str(tmp_path / "eval.yaml"))
    assert code == 2
    assert 'spec.target.fineTuneJobRef.name: "brid" names a FineTuneJob that does not exist' in err
    assert "did you mean bird?" in err
    assert "is not a key of ConfigMap kube-root-ca.crt" in err


LIMITS: dict[str, Object] = {
    "quota of memory": {"hard": {"limits.memory": "2Gi"}},
    "quota of cpu, named nowhere else": {"hard": {"requests.cpu": "1", "limits.cpu": "8"}},
    "quota of pods": {"hard": {"pods": "0"}},
    "quota of pods that end": {"hard": {"pods": "0"}, "scopes": ["NotTerminating"]},
    "quota of pods that ask for nothing": {"hard": {"pods": "0"}, "scopes": ["BestEffort"]},
    "quota that is wide enough": {"hard": {"limits.memory": "64Gi", "pods": "5", "requests.cpu": "8"}},
    "range below": {"limits": [{"type": "Container", "max": {"memory": "1Gi"}}]},
    "range above": {"limits": [{"type": "Container", "min": {"cpu": "3"}}]},
    "range of a pod": {"limits": [{"type": "Pod", "max": {"cpu": "64"}}]},
    "range with a ratio": {"limits": [{"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}}]},
    "range that is wide enough": {"limits": [{"type": "Container", "max": {"memory": "8Gi"}, "min": {"cpu": "1m"}}]},
}


@pytest.mark.parametrize("name", LIMITS)
def test_what_stands_against_pods_is_what_the_api_server_refuses(
    swiftlet: Run,
    claim: None,
    core: client.CoreV1Api,
    control_plane: ControlPlane,
    job: Callable[..., str],
    namespace: str,
    name: str,
) -> None:
    bounds = {"metadata": {"name": "bounds"}, "spec": LIMITS[name]}
    if "limits" in LIMITS[name]:
        core.create_namespaced_limit_range(namespace, bounds)
    else:
        core.create_namespaced_resource_quota(namespace, bounds)
        while not core.read_namespaced_resource_quota("bounds", namespace).status.hard:
            time.sleep(0.02)  # until its controller has counted, all pods are refused
    plan = json.loads(swiftlet(control_plane.kubeconfig, "plan", job(), "-o", "json")[1])["resources"][1]
    told = [line for line in plan["cluster"]["against"] if "bounds" in line]
    template = next(item for item in plan["objects"] if item["kind"] == "Job")["spec"]["template"]
    deadline = time.monotonic() + 30
    while told and not _is_refused(core, namespace, template["spec"]) and time.monotonic() < deadline:
        time.sleep(0.1)  # the API server learns of a LimitRange by a watch
    assert bool(told) == _is_refused(core, namespace, template["spec"]), told


def _is_refused(core: client.CoreV1Api, namespace: str, spec: Object) -> bool:
    """Whether the API server takes no pod of this spec."""
    try:
        core.create_namespaced_pod(namespace, {"metadata": {"name": "try"}, "spec": spec}, dry_run="All")
    except client.ApiException as error:
        assert error.status == 403, error
        return True
    return False


@pytest.fixture
def node(core: client.CoreV1Api) -> Iterator[str]:
    """A node that nothing is scheduled on."""
    name = "planned"
    body = {"metadata": {"name": name}, "spec": {"taints": [{"key": "lab", "effect": "NoSchedule"}]}}
    core.create_node(body)
    yield name
    core.delete_node(name)


def test_nodes_are_looked_at_by_who_may(
    swiftlet: Run, claim: None, control_plane: ControlPlane, job: Callable[..., str], node: str
) -> None:
    code, out, err = swiftlet(control_plane.kubeconfig, "plan", job())
    assert code == 1
    assert "AGAINST     nodes: none of 1 takes the pods: 1 with the taint lab:NoSchedule" in out
    assert "Nodes are not looked at" not in err
