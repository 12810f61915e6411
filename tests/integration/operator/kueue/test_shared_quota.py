"""What shares a quota beside a real Kueue: runs of several pods, evaluations and servers, by `spec.queue`."""

from collections.abc import Callable
from typing import Any

from testbed.operator_process import OperatorProcess

Object = dict[str, Any]
Queued = Callable[..., Object]
ALL = {"requests": {"cpu": "2", "memory": "1Gi"}}
"""Of a pod that takes the whole quota of cores."""
URGENT = {"name": "team", "priorityClass": "high"}


def message(place: Any, kind: str, name: str, type_: str) -> str:
    conditions = place.get(kind, name)["status"]["conditions"]
    return str(next(found["message"] for found in conditions if found["type"] == type_))


def pods(place: Any, name: str) -> list[Any]:
    """Pods of a resource that nobody has asked to go."""
    found = place.core.list_namespaced_pod(place.namespace, label_selector=f"swiftlet.dev/name={name}").items
    return [pod for pod in found if not pod.metadata.deletion_timestamp]


def nodes_of(place: Any, name: str) -> list[str]:
    return sorted(pod.spec.node_name for pod in pods(place, name) if pod.spec.node_name)


def test_runs_of_two_pods_have_all_their_gpus_or_none(
    queue: Any, gpu_nodes: list[str], operator: OperatorProcess, place: Any, job: Queued
) -> None:
    two = {"queue": {"name": "team"}, "parallelism": {"nodes": 2}, "compute": {"gpus": 1}}
    first = place.create(job("first", **two))
    place.wait(lambda: nodes_of(place, "first") == gpu_nodes, "a pod of the first run on each node")
    place.create(job("second", **two))
    place.await_condition("FineTuneJob", "second", "QuotaReserved", "False", "Queued")
    place.wait(
        lambda: "nvidia.com/gpu" in message(place, "FineTuneJob", "second", "QuotaReserved"), "what it waits for"
    )
    assert "2 more needed" in message(place, "FineTuneJob", "second", "QuotaReserved")
    assert not pods(place, "second")
    place.play(first)
    place.await_condition("FineTuneJob", "first", "Succeeded", "True", "Trained")
    assert place.condition("FineTuneJob", "first", "QuotaReserved") == ("False", "Finished")
    place.wait(lambda: nodes_of(place, "second") == gpu_nodes, "a pod of the second run on each node")


def preempt(place: Any, urgent: dict[str, Any], stopped: Callable[[str], None]) -> str:
    """Have a run take the quota of `bird`, whose pods end. Returns the run's uid."""
    uid: str = place.create(urgent)
    place.await_condition("FineTuneJob", "bird", "Suspended", "Unknown", "Preempted")
    stopped("bird")
    place.await_condition("FineTuneJob", "bird", "Suspended", "True", "Preempted")
    return uid


def test_a_run_of_two_pods_that_is_preempted_at_work_goes_on_as_the_same_attempt(
    queue: Any, gpu_nodes: list[str], operator: OperatorProcess, place: Any, job: Queued, stopped: Callable[[str], None]
) -> None:
    two = {"parallelism": {"nodes": 2}, "compute": {"gpus": 1}}
    uid = place.create(job("bird", queue={"name": "team"}, **two))
    place.wait(lambda: nodes_of(place, "bird") == gpu_nodes, "a pod on each node")
    place.play(uid, runs=True)
    place.await_condition("FineTuneJob", "bird", "PodsReady", "True", "AllPodsReady")
    urgent = preempt(place, job("urgent", queue=URGENT, **two), stopped)
    assert "Preempted to accommodate a workload" in message(place, "FineTuneJob", "bird", "Suspended")
    place.wait(lambda: nodes_of(place, "urgent") == gpu_nodes, "the urgent run's pods on both nodes")
    place.play(urgent)
    place.wait(lambda: nodes_of(place, "bird") == gpu_nodes, "both pods again")
    place.await_condition("FineTuneJob", "bird", "QuotaReserved", "True", "Admitted")
    place.play(uid)
    place.await_condition("FineTuneJob", "bird", "Succeeded", "True", "Trained")
    status = place.get("FineTuneJob", "bird")["status"]
    assert not status.get("failure") and status["restarts"] == {"user": 0, "infrastructure": 0}
    assert [job.metadata.name for job in place.children(uid)["Job"]] == ["bird-train-0"]


def test_a_run_that_is_a_jobset_waits_is_preempted_and_gives_its_quota_back(
    queue: Any,
    gpu_nodes: list[str],
    start_operator: Callable[..., OperatorProcess],
    place: Any,
    job: Queued,
    stopped: Callable[[str], None],
) -> None:
    start_operator("--extra-backends=jobSet").wait_ready()
    queue.stop("Hold")
    two = {"backend": "jobSet", "parallelism": {"nodes": 2}, "compute": {"gpus": 1}}
    uid = place.create(job("bird", queue={"name": "team"}, **two))
    for type_, status in (("QuotaReserved", "False"), ("Suspended", "True"), ("Succeeded", "Unknown")):
        place.await_condition("FineTuneJob", "bird", type_, status, "Inadmissible")
    assert "Kueue holds JobSet bird-train-0 in LocalQueue team; " in message(place, "FineTuneJob", "bird", "Suspended")
    assert not pods(place, "bird")

    queue.stop("None")
    place.wait(lambda: nodes_of(place, "bird") == gpu_nodes, "a pod on each node")
    place.await_condition("FineTuneJob", "bird", "QuotaReserved", "True", "Admitted")
    told = message(place, "FineTuneJob", "bird", "QuotaReserved")
    assert f"JobSet bird-train-0 was admitted from LocalQueue team by ClusterQueue {place.namespace}" in told
    place.play(uid, runs=True)
    place.await_condition("FineTuneJob", "bird", "PodsReady", "True", "AllPodsReady")

    urgent = preempt(place, job("urgent", queue=URGENT, **two), stopped)
    place.await_condition("FineTuneJob", "bird", "QuotaReserved", "False", "Preempted")
    place.wait(lambda: nodes_of(place, "urgent") == gpu_nodes, "the urgent run's pods on both nodes")
    place.play(urgent)
    place.wait(lambda: nodes_of(place, "bird") == gpu_nodes, "both pods again")

    where = ("swiftlet.dev", "v1alpha1", place.namespace, "finetunejobs", "bird")
    place.custom.patch_namespaced_custom_object(*where, {"spec": {"suspend": True}})
    stopped("bird")
    place.await_condition("FineTuneJob", "bird", "QuotaReserved", "False", "Suspended")
    place.wait(lambda: all("-urgent-" in one["metadata"]["name"] for one in queue.workloads()), "its quota is free")
    place.custom.patch_namespaced_custom_object(*where, {"spec": {"suspend": False}})
    place.wait(lambda: nodes_of(place, "bird") == gpu_nodes, "both pods once more")
    place.play(uid)
    place.await_condition("FineTuneJob", "bird", "Succeeded", "True", "Trained")
    status = place.get("FineTuneJob", "bird")["status"]
    assert not status.get("failure") and status["restarts"] == {"user": 0, "infrastructure": 0}
    assert [job.metadata.name for job in place.children(uid)["Job"]] == ["bird-train-0-trainer-0"]


def test_a_queue_that_is_not_there_is_told_and_another_one_taken(
    queue: Any, operator: OperatorProcess, place: Any, job: Queued
) -> None:
    place.create(job("bird", queue={"name": "teem"}))
    place.await_condition("FineTuneJob", "bird", "QuotaReserved", "False", "Inadmissible")
    told = message(place, "FineTuneJob", "bird", "QuotaReserved")
    assert "LocalQueue teem doesn't exist; `kubectl get localqueues`" in told and "or name another" in told
    where = ("swiftlet.dev", "v1alpha1", place.namespace, "finetunejobs", "bird")
    place.custom.patch_namespaced_custom_object(*where, {"spec": {"queue": {"name": "team"}}})
    place.wait(lambda: queue.has_admitted("bird-train-0"), "admitted from the other queue")
    place.await_condition("FineTuneJob", "bird", "QuotaReserved", "True", "Admitted")


def test_a_priority_that_is_not_there_is_asked_about(
    queue: Any, operator: OperatorProcess, place: Any, job: Queued
) -> None:
    place.create(job("bird", queue={"name": "team", "priorityClass": "hihg"}))
    place.await_condition("FineTuneJob", "bird", "QuotaReserved", "False", "Queued")
    assert "WorkloadPriorityClass hihg may not be there" in message(place, "FineTuneJob", "bird", "QuotaReserved")
    assert not queue.workloads(), "what the message says of it"
    where = ("swiftlet.dev", "v1alpha1", place.namespace, "finetunejobs", "bird")
    place.custom.patch_namespaced_custom_object(*where, {"spec": {"queue": {"priorityClass": "high"}}})
    place.await_condition("FineTuneJob", "bird", "QuotaReserved", "True", "Admitted")


def test_an_evaluation_waits_in_the_same_queue(queue: Any, operator: OperatorProcess, place: Any) -> None:
    queue.stop("Hold")
    suites = [{"generation": {"uri": "configmap://rows/train.jsonl", "metrics": ["contains"]}}]
    spec = {"target": {"model": {"uri": "hf://org/model"}}, "suites": suites, "queue": {"name": "team"}}
    run = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "EvalRun", "metadata": {"name": "bird"}, "spec": spec}
    uid = place.create(run)
    for type_, status in (("QuotaReserved", "False"), ("Suspended", "True"), ("Succeeded", "Unknown")):
        place.await_condition("EvalRun", "bird", type_, status, "Inadmissible")
    assert not pods(place, "bird")
    queue.stop("None")
    place.await_condition("EvalRun", "bird", "QuotaReserved", "True", "Admitted")
    place.play(uid)
    place.await_condition("EvalRun", "bird", "Succeeded", "True", "Evaluated")
    assert place.condition("EvalRun", "bird", "QuotaReserved") == ("False", "Finished")


def test_a_servers_pods_wait_are_preempted_and_come_back(
    queue: Any, operator: OperatorProcess, place: Any, job: Queued
) -> None:
    queue.stop("Hold")
    spec = {"model": {"uri": "hf://org/model"}, "queue": {"name": "team"}, "compute": {"resources": ALL}}
    document = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ModelDeployment", "metadata": {"name": "bird"}}
    place.create({**document, "spec": spec})
    place.await_condition("ModelDeployment", "bird", "QuotaReserved", "False", "Inadmissible")
    place.await_condition("ModelDeployment", "bird", "Ready", "False", "Inadmissible")
    place.wait(
        lambda: queue.words("QuotaReserved") in message(place, "ModelDeployment", "bird", "Ready"), "Kueue's own words"
    )
    assert "1 of 1 pods wait: Kueue holds Pod bird-serve-" in message(place, "ModelDeployment", "bird", "Ready")
    before = place.await_rest(4.0)
    queue.stop("None")
    place.await_condition("ModelDeployment", "bird", "QuotaReserved", "True", "Admitted")
    place.await_condition("ModelDeployment", "bird", "Ready", "False", "Unschedulable")
    (served,) = pods(place, "bird")
    urgent = place.create(job("urgent", queue=URGENT, compute={"resources": ALL}))
    place.await_condition("FineTuneJob", "urgent", "QuotaReserved", "True", "Admitted")
    place.await_condition("ModelDeployment", "bird", "QuotaReserved", "False", "Queued")
    (waiting,) = pods(place, "bird")
    assert waiting.metadata.name != served.metadata.name
    place.play(urgent)
    place.await_condition("ModelDeployment", "bird", "QuotaReserved", "True", "Admitted")
    written = [write for write in place.await_rest(4.0)[len(before) :] if " deployments/" in write]
    assert not written, "what Kueue adds to a Deployment is Kueue's"


def test_a_serving_pods_queue_cannot_be_changed_and_kueues_words_are_told(
    queue: Any, operator: OperatorProcess, place: Any
) -> None:
    spec = {"model": {"uri": "hf://org/model"}, "queue": {"name": "team"}}
    document = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ModelDeployment", "metadata": {"name": "bird"}}
    uid = place.create({**document, "spec": spec})
    place.await_condition("ModelDeployment", "bird", "QuotaReserved", "True", "Admitted")
    place.play(uid, runs=True)
    place.await_condition("ModelDeployment", "bird", "Ready", "True", "Available")
    where = ("swiftlet.dev", "v1alpha1", place.namespace, "modeldeployments", "bird")
    place.custom.patch_namespaced_custom_object(*where, {"spec": {"queue": {"name": "default"}}})
    place.wait(
        lambda: "kueue.x-k8s.io/queue-name" in message(place, "ModelDeployment", "bird", "Accepted"), "the refusal"
    )
    place.custom.patch_namespaced_custom_object(*where, {"spec": {"queue": {"name": "team"}}})
    place.await_condition("ModelDeployment", "bird", "Accepted", "True", "Planned")
