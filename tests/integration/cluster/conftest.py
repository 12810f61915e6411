"""A finished and a running FineTuneJob as an operator leaves them, and people with the chart's roles."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from swiftlet.cli.main import main
from testbed.controlplane import ControlPlane

Object = dict[str, Any]
ROLES = Path(__file__).parents[3] / "helm/swiftlet/templates/user-roles.yaml"
SPEC = {"model": {"uri": "hf://org/name"}, "datasets": [{"uri": "configmap://data/rows.jsonl"}]}
API = ("swiftlet.dev", "v1alpha1")


@pytest.fixture(scope="session")
def roles(control_plane: ControlPlane) -> None:
    """The chart's roles for people."""
    text = "\n".join(line for line in ROLES.read_text().splitlines() if "{{" not in line)
    control_plane.kubectl("apply", "-f", "-", stdin=text)


@pytest.fixture
def person(control_plane: ControlPlane, namespace: str, roles: None) -> Callable[..., Path]:
    """Kubeconfig of somebody who has these ClusterRoles in the test's namespace, once that holds."""

    def made(name: str, *granted: str) -> Path:
        user = f"{name}-{namespace}"
        for role in granted:
            binding = f"{name}-{role}"
            control_plane.kubectl(
                "create", "rolebinding", binding, "-n", namespace, f"--clusterrole={role}", f"--user={user}"
            )
        for role in granted:
            verb = "delete" if "edit" in role else "list"
            resource = "finetunejobs.swiftlet.dev" if "swiftlet" in role else "pods"
            control_plane.kubectl("wait", "--for=create", f"rolebinding/{name}-{role}", "-n", namespace)
            _until_allowed(control_plane, user, verb, resource, namespace)
        return control_plane.client_kubeconfig(user)

    return made


def _until_allowed(control_plane: ControlPlane, user: str, verb: str, resource: str, namespace: str) -> None:
    """The authorizer learns of bindings by a watch."""
    question = ("auth", "can-i", verb, resource, "-n", namespace, "--as", user)
    for _ in range(200):
        if control_plane.kubectl(*question, check=False).stdout.strip() == "yes":
            return
    raise AssertionError(f"{user} may never {verb} {resource}")


@pytest.fixture
def swiftlet(namespace: str, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command on the cluster in the test's namespace: exit code, stdout, stderr."""

    def run(kubeconfig: Path, *arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["--kubeconfig", str(kubeconfig), "-n", namespace, *arguments])
        said = capsys.readouterr()
        return code, said.out, re.sub(r"context \S+: ", "", said.err)

    return run


@pytest.fixture
def jobs(custom: client.CustomObjectsApi, kube: client.ApiClient, core: client.CoreV1Api, namespace: str) -> Object:
    """`bird` has failed and has a Job, a pod and an event; `finch` runs. Returns bird."""
    bird = _job(custom, namespace, "bird", "False", "BackoffLimitExceeded", labels={"team": "a"})
    failure = {"reason": "OOMKilled", "message": "rank 0 ran out of memory", "pod": "bird-train-0", "exitCode": 137}
    patch_status(custom, namespace, "bird", {"failure": failure})
    finch = _job(custom, namespace, "finch", "Unknown", "Training")
    progress = {"step": 40, "totalSteps": 100, "percent": 40, "loss": "1.5", "tokensPerSecond": "1234"}
    patch_status(custom, namespace, "finch", {"progress": progress, "startTime": "2026-01-01T00:00:00Z"})
    for owner in (bird, finch):
        _children(kube, core, namespace, owner)
    about = {key: bird["metadata"][key] for key in ("name", "namespace", "uid")} | {"kind": "FineTuneJob"}
    event = {"metadata": {"name": "bird.1"}, "involvedObject": about, "type": "Warning", "reason": "Failed"}
    times = {"lastTimestamp": "2026-01-01T00:00:00Z", "firstTimestamp": "2026-01-01T00:00:00Z", "count": 2}
    core.create_namespaced_event(namespace, {**event, "message": "rank 0 ran out of memory", **times})
    return bird


def _job(custom: client.CustomObjectsApi, namespace: str, name: str, status: str, reason: str, **more: Any) -> Object:
    head = {"apiVersion": "/".join(API), "kind": "FineTuneJob", "metadata": {"name": name, **more}}
    made: Object = custom.create_namespaced_custom_object(*API, namespace, "finetunejobs", {**head, "spec": SPEC})
    condition = {"type": "Succeeded", "status": status, "reason": reason, "message": "rank 0 ran out of memory"}
    condition |= {"observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z"}
    patch_status(custom, namespace, name, {"observedGeneration": 1, "conditions": [condition]})
    return made


@pytest.fixture
def set_status(custom: client.CustomObjectsApi, namespace: str) -> Callable[[str, Object], None]:
    """Patch a FineTuneJob's status, as the operator does."""
    return lambda name, status: patch_status(custom, namespace, name, status)


def patch_status(custom: client.CustomObjectsApi, namespace: str, name: str, status: Object) -> None:
    custom.patch_namespaced_custom_object_status(*API, namespace, "finetunejobs", name, {"status": status})


def _children(kube: client.ApiClient, core: client.CoreV1Api, namespace: str, owner: Object) -> None:
    """A suspended Job, which the cluster's own controller leaves alone, and a pod that no scheduler takes."""
    uid, name = owner["metadata"]["uid"], owner["metadata"]["name"]
    reference = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "FineTuneJob", "name": name, "uid": uid}
    metadata = {
        "name": f"{name}-train",
        "labels": {"swiftlet.dev/owner-uid": uid},
        "ownerReferences": [{**reference, "controller": True}],
    }
    pod = {"restartPolicy": "Never", "containers": [{"name": "train", "image": "none"}]}
    job = {"metadata": metadata, "spec": {"suspend": True, "template": {"spec": pod}}}
    client.BatchV1Api(kube).create_namespaced_job(namespace, job)
    gated = {**pod, "schedulingGates": [{"name": "swiftlet.dev/test"}]}
    core.create_namespaced_pod(namespace, {"metadata": {**metadata, "name": f"{name}-train-0"}, "spec": gated})
