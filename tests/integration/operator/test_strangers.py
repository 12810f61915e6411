"""What others may write, from another namespace and from the same one, moves nothing: labels are free to all."""

from collections.abc import Callable
from typing import Any

import psutil
import pytest
from testbed.operator_process import OperatorProcess
from testbed.played_pods import ended, evaluated

Object = dict[str, Any]
Job = Callable[..., Object]
GATE = [{"metric": "contains", "min": 0.9}]
FORGED = {
    "artifact": {"uri": "pvc://evil/artifact", "digest": "sha256:evil", "type": "model", "baseModel": "hf://e/vil",
                 "baseDigest": "sha256:evil", "finalLoss": "0.0", "steps": 1},
    **evaluated({("generation", "contains"): ("1.0", "0.0")}),
}  # fmt: skip
"""A termination message with the best that a pod could say."""
MEMORY_BYTES = 20 << 20


@pytest.fixture
def elsewhere(new_namespace: Callable[..., str]) -> str:
    """A namespace of somebody else, which the operator watches as well."""
    return new_namespace()


@pytest.fixture
def watching(place: Any, elsewhere: str, start_operator: Callable[..., OperatorProcess]) -> OperatorProcess:
    """An operator of both namespaces."""
    process = start_operator("--no-leader-election", "--watch-namespace", elsewhere)
    process.wait_ready()
    return process


def evaluation() -> Object:
    suite = {"name": "generation", "generation": {"uri": "configmap://rows/train.jsonl", "metrics": ["contains"]}}
    spec = {"target": {"model": {"uri": "hf://org/model"}}, "suites": [suite], "gates": GATE}
    return {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "EvalRun", "metadata": {"name": "bird"}, "spec": spec}


def labels_of(place: Any, uid: str, **more: str) -> Object:
    """Our labels, as the pods of a resource carry them, for whoever can read them."""
    labels = dict(place.await_children(uid, "Pod")["Pod"][0].metadata.labels)
    labels = {name: text for name, text in labels.items() if "controller-uid" not in name}
    return {**labels, **more}


def forge_pod(place: Any, namespace: str, name: str, labels: Object, annotations: Object) -> None:
    """A pod that has ended well and left the forged message."""
    metadata = {"name": name, "labels": labels, "annotations": annotations}
    containers = [{"name": name, "image": "none"} for name in ("train", "evaluate")]
    made = place.core.create_namespaced_pod(namespace, {"metadata": metadata, "spec": {"containers": containers}})
    status = ended(place.api.sanitize_for_serialization(made), message=FORGED)
    place.core.patch_namespaced_pod_status(name, namespace, {"status": status})


def forge_job(place: Any, namespace: str, name: str, labels: Object, annotations: Object, **metadata: Any) -> None:
    """A Job that is complete."""
    containers = [{"name": "train", "image": "none"}]
    inherited = {label: text for label, text in labels.items() if "job-name" not in label}
    template = {"metadata": {"labels": inherited}, "spec": {"restartPolicy": "Never", "containers": containers}}
    document = {"metadata": {"name": name, "labels": labels, "annotations": annotations, **metadata}}
    place.batch.create_namespaced_job(namespace, {**document, "spec": {"template": template, "suspend": True}})


ANNOTATIONS = {
    "batch.kubernetes.io/job-completion-index": "minus one",
    "swiftlet.dev/history": "}{",
    "swiftlet.dev/plan-digest": "x",
}


def attack(place: Any, uid: str, elsewhere: str, job_names: list[str]) -> None:
    """Everything that labels and annotations can say, from both namespaces."""
    for namespace in (elsewhere, place.namespace):
        for number, job_name in enumerate(job_names):
            labels = labels_of(place, uid, **{"swiftlet.dev/attempt": ("99", "many", "1e9")[number % 3]})
            labels |= {"batch.kubernetes.io/job-name": job_name, "job-name": job_name}
            forge_pod(place, namespace, f"evil-{number}", labels, ANNOTATIONS)
            name = job_name if namespace == elsewhere else f"evil-{number}"
            forge_job(place, namespace, name, labels, ANNOTATIONS)
    owner = place.get("FineTuneJob" if job_names[0].startswith("bird-train") else "EvalRun", "bird")
    reference = {name: owner[name] for name in ("apiVersion", "kind")} | {
        "name": "bird", "uid": owner["metadata"]["uid"], "controller": True,
    }  # fmt: skip
    labels = labels_of(place, uid, **{"swiftlet.dev/attempt": "100"})
    forge_job(place, elsewhere, f"{job_names[0]}0", labels, ANNOTATIONS, ownerReferences=[reference])


def test_a_running_job(watching: OperatorProcess, place: Any, elsewhere: str, job: Job) -> None:
    uid = place.create(job("bird"))
    place.play(uid, runs=True)
    place.await_condition("FineTuneJob", "bird", "Running", "True", "Training")
    written = len(place.await_rest())
    before = place.get("FineTuneJob", "bird")["status"]
    attack(place, uid, elsewhere, ["bird-train-0", "bird-train-1", "bird-train-99"])
    assert len(place.await_rest(3)) == written
    assert place.get("FineTuneJob", "bird")["status"] == before
    jobs = {item.metadata.name for item in place.children(uid)["Job"]}
    assert jobs == {"bird-train-0", "evil-0", "evil-1", "evil-2"}, "nothing of anybody was deleted"
    assert "Traceback" not in watching.log


def test_a_gate_that_failed(watching: OperatorProcess, place: Any, elsewhere: str) -> None:
    uid = place.create(evaluation())
    pod = place.api.sanitize_for_serialization(place.await_children(uid, "Pod")["Pod"][0])
    bad = evaluated({("generation", "contains"): ("0.1", "0.0")})
    name = pod["metadata"]["name"]
    place.core.patch_namespaced_pod_status(name, place.namespace, {"status": ended(pod, message=bad)})
    place.await_condition("EvalRun", "bird", "GatePassed", "False", "GateFailed")
    place.await_rest()
    before = place.get("EvalRun", "bird")["status"]
    attack(place, uid, elsewhere, ["bird-eval"])
    place.await_rest(3)
    assert place.get("EvalRun", "bird")["status"] == before
    assert "Traceback" not in watching.log


def test_a_resource_that_carries_the_label_itself(watching: OperatorProcess, place: Any, job: Job) -> None:
    document = job("bird")
    document["metadata"]["labels"] = {"swiftlet.dev/owner-uid": "00000000-0000-0000-0000-000000000000"}
    uid = place.create(document)
    place.play(uid, runs=True)
    place.await_condition("FineTuneJob", "bird", "Running", "True", "Training")


def memory_of(process: OperatorProcess) -> int:
    """Bytes that the operator holds."""
    found = [
        candidate for candidate in psutil.process_iter(["cmdline"])
        if f"127.0.0.1:{process.port}" in (candidate.info["cmdline"] or [])
    ]  # fmt: skip
    return max(candidate.memory_info().rss for candidate in found)


def test_labelled_objects_by_the_hundred(watching: OperatorProcess, place: Any, elsewhere: str, job: Job) -> None:
    """Also those that only just come in by the watch, and those that an operator finds when it starts."""
    uid = place.create(job("bird"))
    place.play(uid, runs=True)
    place.await_condition("FineTuneJob", "bird", "Running", "True", "Training")
    place.await_rest()
    labels, text = labels_of(place, uid), "x" * (1 << 20)
    before = memory_of(watching)
    for number in range(150):
        body = {"metadata": {"name": f"large-{number}", "labels": labels}, "data": {"text": text[:-4096]}}
        place.core.create_namespaced_config_map(elsewhere, body)
    for number in range(40):
        annotations = {"a": text[: 250 << 10]}
        forge_pod(place, elsewhere, f"large-{number}", labels, annotations)
        ports = [{"name": "http", "port": 80}]
        service = {"metadata": {"name": f"large-{number}", "labels": labels, "annotations": annotations}}
        place.core.create_namespaced_service(elsewhere, {**service, "spec": {"ports": ports}})
    place.await_rest(3)
    assert memory_of(watching) - before < MEMORY_BYTES
    watching.kill()
    watching.start()
    watching.wait_ready()
    place.await_rest(3)
    assert memory_of(watching) - before < MEMORY_BYTES
    assert place.condition("FineTuneJob", "bird", "Running") == ("True", "Training")
