"""What really refuses children on a cluster: it is told in the API server's words, once, and goes away when mended."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from testbed.controlplane import ControlPlane
from testbed.faults import Fault, Refuse
from testbed.scene import Scene

Object = dict[str, Any]

SOON = 40
"""Seconds within which something that was mended is noticed: a retry each half a minute, and the machine's own time."""


@pytest.fixture(scope="module")
def shared_scene(new_scene: Callable[..., Scene]) -> Scene:
    """A namespace of its own: what refuses here must not refuse elsewhere."""
    return new_scene()


def _quota(scene: Scene) -> list[Object]:
    metadata = {"name": "no-jobs", "namespace": scene.namespace}
    spec = {"hard": {"count/jobs.batch": "0"}}
    return [{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": spec}]


def _only_here(scene: Scene) -> Object:
    return {"matchLabels": {"kubernetes.io/metadata.name": scene.namespace}}


JOBS = {"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}


def _policy(scene: Scene) -> list[Object]:
    kind, name = "ValidatingAdmissionPolicy", f"cost-centre-{scene.namespace}"
    denial = {"expression": "'cost-centre' in object.metadata.labels", "message": "jobs carry a label cost-centre"}
    common = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    policy = {"matchConstraints": {"resourceRules": [JOBS]}, "validations": [denial]}
    selector = {"namespaceSelector": _only_here(scene)}
    binding = {"policyName": name, "validationActions": ["Deny"], "matchResources": selector}
    return [{**common, "kind": kind, "spec": policy}, {**common, "kind": f"{kind}Binding", "spec": binding}]


def _webhook(scene: Scene) -> list[Object]:
    hook = {
        "name": "nobody.swiftlet.test",
        "clientConfig": {"url": "https://127.0.0.1:9/"},
        "rules": [JOBS],
        "namespaceSelector": _only_here(scene),
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    kind, metadata = "ValidatingWebhookConfiguration", {"name": f"nobody-{scene.namespace}"}
    return [{"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": metadata, "webhooks": [hook]}]


@pytest.fixture
def refuser(control_plane: ControlPlane, scene: Scene, request: pytest.FixtureRequest) -> Iterator[Callable[[], None]]:
    """Objects that make the API server refuse Jobs; call it to take them away."""
    text = "\n---\n".join(map(json.dumps, request.param(scene)))
    control_plane.kubectl("apply", "-f", "-", stdin=text)

    def mend() -> None:
        control_plane.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=text)

    probe = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "probe", "namespace": scene.namespace}}
    pod = {"containers": [{"name": "a", "image": "a"}], "restartPolicy": "Never"}
    probe["spec"] = {"template": {"spec": pod}}
    ask = ("create", "--dry-run=server", "-f", "-")

    def refuses() -> bool:
        return control_plane.kubectl(*ask, stdin=json.dumps(probe), check=False).returncode != 0

    scene.wait(refuses, "the API server refuses Jobs")
    yield mend
    mend()


@pytest.mark.parametrize(
    ("refuser", "reason", "words", "remedy"),
    [
        (_quota, "QuotaExceeded", "exceeded quota: no-jobs", "raise the ResourceQuota"),
        (_policy, "PolicyDenied", "jobs carry a label cost-centre", "or the policy"),
        (_webhook, "WebhookUnavailable", 'failed calling webhook "nobody.swiftlet.test"', "start its server"),
    ],
    ids=["quota", "policy", "webhook"],
    indirect=["refuser"],
)
def test_a_refusal_is_told_and_goes_away_when_it_is_mended(
    scene: Scene, document: Any, refuser: Callable[[], None], reason: str, words: str, remedy: str
) -> None:
    name = f"told-{reason.lower()}"
    uid = scene.create(document(name))["metadata"]["uid"]
    message = scene.wait_condition("FineTuneJob", name, "Accepted", "Unknown", reason)
    assert words in message
    assert remedy in message
    assert scene.condition("FineTuneJob", name, "Succeeded")[:2] == ("Unknown", reason)
    assert scene.get("FineTuneJob", name)["status"]["plan"], "the rest of the status is written"
    scene.wait(lambda: bool(scene.events(name)), "the event")
    assert [(reason, words in said) for reason, said in scene.events(name)] == [("Refused", True)]
    assert ("NetworkPolicy", f"{name}-train") in scene.children(uid), "what is not refused is made"
    refuser()
    scene.wait_condition("FineTuneJob", name, "Accepted", "True", "Planned", seconds=SOON)
    assert ("Job", f"{name}-train-0") in scene.children(uid)
    assert scene.told_again(name) == []


def test_progress_is_told_while_a_child_is_refused(scene: Scene, document: Any) -> None:
    """A policy that somebody deleted cannot be made again; the run goes on, and its end is told."""
    uid = scene.create(document("going-on"))["metadata"]["uid"]
    scene.start_pods(uid)
    scene.wait_condition("FineTuneJob", "going-on", "Running", "True")
    scene.proxy.add(Fault(Refuse(413, "RequestEntityTooLarge"), verb="apply", resource="networkpolicies", times=1000))
    scene.networking.delete_namespaced_network_policy("going-on-train", scene.namespace)
    scene.wait_condition("FineTuneJob", "going-on", "Accepted", "False", "TooLarge")
    assert scene.condition("FineTuneJob", "going-on", "Succeeded")[:2] == ("Unknown", "Training")
    scene.end_pods(uid)
    scene.wait_condition("FineTuneJob", "going-on", "Succeeded", "True", "Trained")
    tried = [call for call in scene.proxy.calls if (call.verb, call.resource) == ("apply", "networkpolicies")]
    assert len(tried) < 20


def test_what_is_refused_for_good_is_not_polled(scene: Scene, document: Any) -> None:
    """It names a ConfigMap and a claim, but neither could mend it."""
    scene.create(document("refused", parallelism={"processesPerNode": 2}, compute={"gpus": 1}))
    scene.wait_condition("FineTuneJob", "refused", "Accepted", "False", "InvalidPlan")
    scene.wait_quiet(3)
    scene.proxy.clear()
    scene.wait_quiet(5)
    assert [str(call) for call in scene.proxy.calls if call.verb == "get" and call.resource != "leases"] == []


def test_a_delete_that_is_refused_is_told(scene: Scene, document: Any) -> None:
    """Attempts that have been replaced are deleted; where that is refused, the run goes on all the same."""
    uid = scene.create(document("kept", backoffLimit=5))["metadata"]["uid"]
    scene.proxy.add(Fault(Refuse(403, "Forbidden"), verb="delete", resource="jobs", times=1000))
    for attempt in range(3):
        scene.wait(lambda: ("Job", f"kept-train-{attempt}") in scene.children(uid), "the attempt")  # noqa: B023
        scene.end_pods(uid, exit_code=1)
    scene.wait_condition("FineTuneJob", "kept", "Accepted", "Unknown", "Forbidden")
    assert ("Job", "kept-train-3") in scene.children(uid)
    scene.proxy.clear()
    scene.wait_condition("FineTuneJob", "kept", "Accepted", "True", seconds=SOON)
    # Granted, it is gone when the garbage collector has taken its pods first.
    scene.wait(lambda: ("Job", "kept-train-0") not in scene.children(uid), "the oldest attempt goes")
