"""The chart's admissionPolicy binds the operator's account: it works, and its token opens no more."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from testbed.operator_process import OperatorProcess
from testbed.policies import ACCOUNT, admission_policies, by_the_operator

pytestmark = pytest.mark.timeout(1800)  # whichever comes first may have to build helm

Object = dict[str, Any]


OURS = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "FineTuneJob", "name": "bird", "uid": "1", "controller": True}
POD = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "none"}]}}
CLAIM = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
PROBES: dict[str, Object] = {
    "may write only what": {"apiVersion": "v1", "kind": "ConfigMap"},
    "no token of the API server": {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"ownerReferences": [OURS]}, "spec": {"template": POD},
    },
    "no other claim": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": CLAIM},
}  # fmt: skip
"""What one policy alone refuses, by its words: where two refuse, which of them is told is chance."""


@pytest.fixture
def bound(place: Any) -> Iterator[None]:
    """The policies are in force, each of them."""
    with admission_policies(place.control_plane):
        for words, document in PROBES.items():
            probe = {**document, "metadata": {"name": "probe", **document.get("metadata", {})}}
            place.wait(lambda: words in answered(place, "create", probe, "--dry-run=server"), words)  # noqa: B023
        yield


def answered(place: Any, verb: str, document: Object, *arguments: str) -> str:
    return by_the_operator(place.control_plane, place.namespace, verb, document, *arguments)


def test_the_operator_works_and_its_refusals_are_none(
    bound: None, place: Any, start_operator: Callable[..., OperatorProcess], job: Callable[..., Object]
) -> None:
    start_operator().wait_ready()
    uid = place.create(job("bird"))
    server = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ModelDeployment", "metadata": {"name": "bird"}}
    served = place.create({**server, "spec": {"model": {"uri": "hf://org/model"}, "replicas": 2}})
    place.await_children(served, "Deployment", "Service", "ConfigMap")
    place.play(uid, exit_code=1, message="flaky")
    place.wait(lambda: len(place.children(uid)["Job"]) == 2, "the second attempt")
    place.play(uid)
    where = ("swiftlet.dev", "v1alpha1", place.namespace, "modeldeployments")
    place.custom.patch_namespaced_custom_object(*where, "bird", {"spec": {"replicas": 1}})
    place.await_rest()
    refused = [
        event for event in place.control_plane.audit_events(ACCOUNT)
        if event["responseStatus"]["code"] in (403, 422)
        and (event.get("objectRef") or {}).get("namespace") == place.namespace
    ]  # fmt: skip
    assert not refused


def _spec(job: Object) -> Object:
    return job["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def _without_owner(job: Object) -> None:
    del job["metadata"]["ownerReferences"]


def _of_another_kind(job: Object) -> None:
    job["metadata"]["ownerReferences"][0]["kind"] = "ComputeProfile"


def _of_another_group(job: Object) -> None:
    job["metadata"]["ownerReferences"][0]["apiVersion"] = "batch/v1"


def _not_controlled(job: Object) -> None:
    job["metadata"]["ownerReferences"][0]["controller"] = False


def _in_kube_system(job: Object) -> None:
    job["metadata"]["namespace"] = "kube-system"


def _with_a_token(job: Object) -> None:
    del _spec(job)["automountServiceAccountToken"]


def _with_a_projected_token(job: Object) -> None:
    source = {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    _spec(job)["volumes"].append({"name": "own", **source})


def _with_the_nodes_files(job: Object) -> None:
    _spec(job)["volumes"].append({"name": "own", "hostPath": {"path": "/"}})


def _in_the_nodes_network(job: Object) -> None:
    _spec(job)["hostNetwork"] = True


def _privileged(job: Object) -> None:
    _spec(job)["containers"][0]["securityContext"] = {"privileged": True}


def _as_root(job: Object) -> None:
    _spec(job)["initContainers"][0]["securityContext"] |= {"runAsNonRoot": False, "runAsUser": 0}


def _with_a_capability(job: Object) -> None:
    _spec(job)["containers"][0]["securityContext"]["capabilities"]["add"] = ["SYS_ADMIN"]


FORBIDDEN = {
    _without_owner: "may write only what a FineTuneJob",
    _of_another_kind: "may write only what a FineTuneJob",
    _of_another_group: "may write only what a FineTuneJob",
    _not_controlled: "may write only what a FineTuneJob",
    _in_kube_system: "in namespaces of Kubernetes itself",
    _with_a_token: "no token of the API server",
    _with_a_projected_token: "no token of the API server",
    _with_the_nodes_files: "nothing of their node",
    _in_the_nodes_network: "nothing of their node",
    _privileged: "not root and have no capabilities",
    _as_root: "not root and have no capabilities",
    _with_a_capability: "not root and have no capabilities",
}


def test_who_has_its_token_can_make_nothing_else(
    bound: None, place: Any, operator: OperatorProcess, job: Callable[..., Object]
) -> None:
    uid = place.create(job("bird"))
    (found,) = place.await_children(uid, "Job")["Job"]
    made = place.api.sanitize_for_serialization(found)
    labels = made["spec"]["template"]["metadata"]["labels"]
    good: Object = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "another", "ownerReferences": made["metadata"]["ownerReferences"]},
        "spec": {"template": {"spec": made["spec"]["template"]["spec"]}},
    }
    assert "created (server dry run)" in answered(place, "create", good, "--dry-run=server"), labels
    for change, words in FORBIDDEN.items():
        bad = copy.deepcopy(good)
        change(bad)
        namespace = bad["metadata"].get("namespace", place.namespace)
        given = ("create", "-f", "-", "-n", namespace, f"--as={ACCOUNT}", "--dry-run=server")
        done = place.control_plane.kubectl(*given, stdin=json.dumps(bad), check=False)
        assert done.returncode != 0 and words in done.stderr, f"{change.__name__}: {done.stderr}"


def test_what_is_not_its_own_it_can_neither_change_nor_take_nor_delete(
    bound: None, place: Any, operator: OperatorProcess, job: Callable[..., Object]
) -> None:
    uid = place.create(job("bird"))
    (own,) = place.await_children(uid, "Job")["Job"]
    # Its pods are as ours are, so that nothing speaks against it but whose it is.
    made = place.api.sanitize_for_serialization(own)
    theirs = {"metadata": {"name": "theirs"}, "spec": {"suspend": True, "template": {"spec": _spec(made)}}}
    place.batch.create_namespaced_job(place.namespace, theirs)
    kubectl, said = place.control_plane.kubectl, "may write only what a FineTuneJob"
    reference = made["metadata"]["ownerReferences"]
    patch = json.dumps({"metadata": {"ownerReferences": reference}})
    at = ("-n", place.namespace, f"--as={ACCOUNT}")
    assert said in kubectl("patch", "job", "theirs", *at, "-p", patch, check=False).stderr
    assert said in kubectl("delete", "job", "theirs", *at, check=False).stderr
    assert said in kubectl("delete", "configmap", "rows", *at, check=False).stderr
    claim = ("patch", "pvc", "swiftlet-artifacts", *at, "-p", '{"metadata":{"labels":{"a":"b"}}}')
    assert "no other claim" in kubectl(*claim, check=False).stderr, "a person made this one"
    assert kubectl("delete", "job", own.metadata.name, *at, "--wait=false", check=False).returncode == 0
    assert place.batch.read_namespaced_job("theirs", place.namespace).metadata.owner_references is None
