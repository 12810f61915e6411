"""What breaks on real nodes, and what the statuses, events and children say of it."""

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from installation import default_profile
from testbed.nodes import Cluster as Bed
from watching import condition, get, items, until, until_true

NAMESPACE = "faults"
MODEL = "hf://HuggingFaceTB/SmolLM2-135M-Instruct"
TAKEOVER_SECONDS = 20
"""From the last renewal to the next holder, at most, by the Lease's own stamps; docs/operator.md says so."""


@pytest.fixture(scope="module")
def namespace(bed: Bed, installed: str, prepared_namespace: Callable[[str], str]) -> str:
    """A namespace with a few rows to learn."""
    name = prepared_namespace(NAMESPACE)
    row = {
        "messages": [
            {"role": "user", "content": "Who are you?"},
            {"role": "assistant", "content": "I am Apus, a bird that never lands."},
        ]
    }
    rows = "".join(json.dumps(row) + "\n" for _ in range(16))
    bed.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "rows", "namespace": name},
            "data": {"a.jsonl": rows},
        }
    )
    return name


@pytest.fixture
def submit(bed: Bed, namespace: str) -> Callable[..., dict[str, Any]]:
    """Apply a small FineTuneJob; other arguments replace fields of its spec."""

    def apply(name: str, steps: int = 4, **spec: Any) -> dict[str, Any]:
        document = {
            "apiVersion": "swiftlet.dev/v1alpha1",
            "kind": "FineTuneJob",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "model": {"uri": MODEL},
                "datasets": [{"uri": "configmap://rows/a.jsonl"}],
                "tuner": {"lora": {"rank": 4}},
                "training": {"maxSteps": steps, "globalBatchSize": 4},
                "checkpoints": {"intervalSteps": 2},
                **spec,
            },
        }
        bed.apply(document)
        return document

    return apply


def profile(bed: Bed, name: str, **spec: Any) -> dict[str, Any]:
    """A ComputeProfile made from the installed one; the reference to it."""
    document = default_profile(bed)
    merged = {**document["spec"], **spec}
    bed.apply(
        {
            "apiVersion": "swiftlet.dev/v1alpha1",
            "kind": "ComputeProfile",
            "metadata": {"name": name},
            "spec": merged,
        }
    )
    return {"profileRef": {"name": name}}


def reason(bed: Bed, namespace: str, name: str, type_: str) -> str:
    return str(condition(get(bed, namespace, "ftj", name), type_).get("reason", ""))


def said(bed: Bed, namespace: str, name: str) -> str:
    """What is in the way of a job's pods, in words."""
    return str(condition(get(bed, namespace, "ftj", name), "PodsReady").get("message", ""))


def events(bed: Bed, namespace: str, name: str) -> list[str]:
    """Reasons of the events about a resource, in the order of their names."""
    selector = f"involvedObject.name={name},involvedObject.kind=FineTuneJob"
    found = json.loads(bed.kubectl("get", "events", "-n", namespace, "--field-selector", selector, "-o", "json").stdout)
    return [event["reason"] for event in found["items"]]


def at_step(bed: Bed, namespace: str, name: str, step: int) -> dict[str, Any] | None:
    """The job once its status says that it has taken `step` steps."""
    job = get(bed, namespace, "ftj", name) or {}
    return job if ((job.get("status") or {}).get("progress") or {}).get("step", 0) >= step else None


def test_an_image_that_nobody_has(bed: Bed, namespace: str, submit: Any) -> None:
    compute = profile(bed, "no-image", images={"trainer": "localhost/nobody/has-it:1", "server": "localhost/nothing:1"})
    submit("no-image", compute=compute)
    pulling = ("ErrImagePull", "ImagePullBackOff")
    until("the reason", lambda: reason(bed, namespace, "no-image", "PodsReady") in pulling, 240)
    assert "check images of the ComputeProfile" in said(bed, namespace, "no-image")
    until("the event", lambda: "PodCannotStart" in events(bed, namespace, "no-image"), 240)


def test_no_node_has_the_gpus(bed: Bed, namespace: str, submit: Any) -> None:
    bed.fake_gpus("node-1", 2)
    submit("no-gpus", compute={"gpus": 4})
    until("the reason", lambda: reason(bed, namespace, "no-gpus", "PodsReady") == "Unschedulable", 240)
    assert "nvidia.com/gpu" in said(bed, namespace, "no-gpus")
    bed.fake_gpus("node-1", 0)


def test_a_claim_that_nobody_provides(bed: Bed, namespace: str, submit: Any) -> None:
    storage = {"artifactsClaim": "nowhere", "artifactsStorageClass": "no-such-class", "modelsClaim": "swiftlet-models"}
    submit("no-volume", compute=profile(bed, "no-volume", storage=storage))
    until("a reason", lambda: reason(bed, namespace, "no-volume", "PodsReady") not in ("", "PodsStarting"), 240)
    # The scheduler may be first to speak, and names no claim.
    until("the claim's name", lambda: "nowhere" in said(bed, namespace, "no-volume"), 240)
    assert get(bed, namespace, "pvc", "nowhere") is not None


def test_a_quota_without_room_for_the_pods(bed: Bed, namespace: str, submit: Any) -> None:
    metadata = {"name": "full", "namespace": namespace}
    bed.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"pods": "0"}}})
    # Until its controller has counted, pods are refused in other words.
    until("the quota", lambda: ((get(bed, namespace, "quota", "full") or {}).get("status") or {}).get("hard"), 240)
    submit("no-room")
    until("the reason", lambda: reason(bed, namespace, "no-room", "PodsReady") == "QuotaExceeded", 240)
    assert "exceeded quota: full" in said(bed, namespace, "no-room")
    bed.kubectl("delete", "ftj", "no-room", "-n", namespace)
    bed.kubectl("delete", "resourcequota", "full", "-n", namespace)


def test_a_pod_deleted_by_hand_resumes_from_the_checkpoint(bed: Bed, namespace: str, submit: Any) -> None:
    submit("deleted", steps=15)
    until("the first checkpoint", lambda: at_step(bed, namespace, "deleted", 3), 600)
    (pod,) = items(bed, namespace, "pods", "swiftlet.dev/name=deleted")
    bed.kubectl("delete", "pod", pod["metadata"]["name"], "-n", namespace, "--wait=false")
    job = until_true(bed, namespace, "ftj", "deleted", "Succeeded", 900)
    assert job["status"]["progress"]["step"] == 15
    assert job["status"]["restarts"]["infrastructure"] + job["status"]["restarts"]["user"] == 1
    log = bed.kubectl("logs", "-n", namespace, "-l", "swiftlet.dev/name=deleted", "-c", "train", "--tail=-1").stdout
    assert "resum" in log.lower()


def test_training_goes_on_without_its_kubelet(bed: Bed, namespace: str, submit: Any) -> None:
    submit("no-kubelet", steps=20)
    until("the first steps", lambda: at_step(bed, namespace, "no-kubelet", 2), 600)
    (pod,) = items(bed, namespace, "pods", "swiftlet.dev/name=no-kubelet")
    node = pod["spec"]["nodeName"]
    bed.kill_kubelet(node)
    time.sleep(5)
    bed.start_kubelet(node)
    job = until_true(bed, namespace, "ftj", "no-kubelet", "Succeeded", 900)
    assert job["status"]["restarts"]["user"] == 0


def test_a_node_cut_off_is_told_and_the_run_goes_on_when_it_is_back(bed: Bed, namespace: str, submit: Any) -> None:
    submit("cut-off", steps=25)
    until("the first checkpoint", lambda: at_step(bed, namespace, "cut-off", 3), 600)
    (pod,) = items(bed, namespace, "pods", "swiftlet.dev/name=cut-off")
    node = pod["spec"]["nodeName"]
    bed.cut_off(node)
    try:
        lost = until(
            "a condition that tells of the node",
            lambda: node in str((get(bed, namespace, "ftj", "cut-off") or {})["status"]["conditions"]),
            300,
        )
        assert lost
    finally:
        bed.reconnect(node)
    job = until_true(bed, namespace, "ftj", "cut-off", "Succeeded", 900)
    assert job["status"]["progress"]["step"] == 25
    assert job["status"]["restarts"]["user"] == 0


def test_the_standby_takes_over(bed: Bed, installed: str, namespace: str, submit: Any) -> None:
    def spec() -> dict[str, Any]:
        return dict((get(bed, installed, "lease", "swiftlet-operator") or {}).get("spec") or {})

    def holder() -> str:
        return str(spec().get("holderIdentity") or "")

    before = until("a leader", holder, 240)
    pods = items(bed, installed, "pods", "app.kubernetes.io/name=swiftlet-operator") or items(bed, installed, "pods")
    leader = next(pod["metadata"]["name"] for pod in pods if pod["metadata"]["name"] in before)
    renewed = spec()["renewTime"]
    bed.kubectl("delete", "pod", leader, "-n", installed, "--grace-period=0", "--force")

    def taken_over() -> dict[str, Any] | None:
        nonlocal renewed
        now = spec()
        if now.get("holderIdentity") not in (None, "", before):
            return now
        renewed = now["renewTime"]
        return None

    lease = until("another leader", taken_over, 120, pause=0.2)
    waited = datetime.fromisoformat(lease["acquireTime"]) - datetime.fromisoformat(renewed)
    assert waited.total_seconds() <= TAKEOVER_SECONDS
    submit("after-takeover", suspend=True)
    until("the new leader's word", lambda: reason(bed, namespace, "after-takeover", "Accepted"), 240)
    jobs = items(bed, namespace, "jobs", "swiftlet.dev/name=deleted")
    assert len(jobs) == len({job["metadata"]["name"] for job in jobs})
