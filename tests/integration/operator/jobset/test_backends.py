"""The same FineTuneJob as Jobs and as JobSets of the real controller: what a user sees is the same."""

from collections.abc import Callable
from typing import Any

import pytest
from testbed.jobset import JobSet
from testbed.operator_process import OperatorProcess

Object = dict[str, Any]
Job = Callable[..., Object]
RUN = ("FineTuneJob", "bird")
BOTH = pytest.mark.parametrize("backend", ["job", "jobSet"])


def document(job: Job, backend: str) -> Object:
    return job("bird", backend=backend, parallelism={"nodes": 2}, training={"globalBatchSize": 2})


def jobsets(place: Any) -> list[Object]:
    where = ("jobset.x-k8s.io", "v1alpha2", place.namespace, "jobsets")
    items: list[Object] = place.custom.list_namespaced_custom_object(*where)["items"]
    return items


def change(place: Any, **spec: Any) -> None:
    where = ("swiftlet.dev", "v1alpha1", place.namespace, "finetunejobs")
    place.custom.patch_namespaced_custom_object(*where, "bird", {"spec": spec})


def meets(place: Any, pods: list[Any]) -> bool:
    """Whether the pods look for the first one where it is: at its hostname, behind the run's headless Service."""
    first = next(pod for pod in pods if pod.metadata.annotations["batch.kubernetes.io/job-completion-index"] == "0")
    address = f"{first.spec.hostname}.{first.spec.subdomain}.{place.namespace}.svc"
    told = {env.value for pod in pods for env in pod.spec.containers[0].env if env.name == "PET_MASTER_ADDR"}
    service = place.core.read_namespaced_service(first.spec.subdomain, place.namespace)
    selector = service.spec.selector.items()
    return told == {address} and all(selector <= pod.metadata.labels.items() for pod in pods)


def test_a_pod_that_is_deleted_restarts_all_pods_of_its_run(
    jobset: JobSet, operator: OperatorProcess, place: Any, pair: Any, job: Job
) -> None:
    place.create(document(job, "jobSet"))
    first, second = pair.runs(0)
    place.core.delete_namespaced_pod(first.metadata.name, place.namespace)
    pair.stop(first, second)
    pair.runs(1)
    assert place.get(*RUN)["status"]["restarts"] == {"user": 0, "infrastructure": 1, "infrastructureRecent": 1}
    assert place.get(*RUN)["status"]["failure"]["exitCode"] == 143


@BOTH
def test_pods_find_each_other_and_a_run_that_is_suspended_at_work_goes_on_as_the_same_attempt(
    jobset: JobSet, operator: OperatorProcess, place: Any, pair: Any, job: Job, backend: str
) -> None:
    uid = place.create(document(job, backend))
    pods = pair.runs(0)
    assert meets(place, pods)
    assert [found["metadata"]["name"] for found in jobsets(place)] == ["bird-train-0"] * (backend == "jobSet")
    change(place, suspend=True)
    pair.stop(*pods)
    place.await_condition(*RUN, "Suspended", "True", "UserRequested")
    place.await_condition(*RUN, "PodsReady", "False", "Suspended")
    place.await_rest()
    assert not place.core.list_namespaced_pod(place.namespace).items
    change(place, suspend=False)
    assert meets(place, pair.runs(0))
    pair.ends_well(0)
    place.await_condition(*RUN, "Succeeded", "True", "Trained")
    status = place.get(*RUN)["status"]
    assert not status.get("failure") and status["restarts"] == {"user": 0, "infrastructure": 0}
    assert len(place.children(uid)["Job"]) == 1


@BOTH
def test_a_node_that_is_lost_restarts_the_run_on_others(
    jobset: JobSet, operator: OperatorProcess, place: Any, pair: Any, job: Job, backend: str
) -> None:
    """Its kubelet says nothing of the pod: the cluster does, and so does the run."""
    uid = place.create(document(job, backend))
    lost, other = pair.runs(0)
    pair.lose(lost.spec.node_name)
    pair.stop(other)
    pair.pods(1)
    # The status follows the next attempt, whose pods may be there first.
    once = {"user": 0, "infrastructure": 1, "infrastructureRecent": 1}
    place.wait(lambda: place.get(*RUN)["status"].get("restarts") == once, "the restart in the status")
    status = place.get(*RUN)["status"]
    assert (status["failure"]["reason"], status["failure"].get("pod")) == ("Disrupted", lost.metadata.name)
    pair.ends_well(1)
    place.await_condition(*RUN, "Succeeded", "True", "Trained")
    assert len(place.children(uid)["Job"]) == 2


def test_bad_input_ends_a_jobset_at_once_with_its_cause(
    jobset: JobSet, operator: OperatorProcess, place: Any, pair: Any, job: Job
) -> None:
    uid = place.create(document(job, "jobSet"))
    pair.pods(0)
    failure = {"reason": "InvalidData", "message": "rows/train.jsonl:1: no messages"}
    place.play(uid, exit_code=2, message={"failure": failure})
    place.await_condition(*RUN, "Succeeded", "False", "InvalidInput")
    said = place.get(*RUN)["status"]["failure"]
    assert (said["reason"], said["exitCode"]) == ("InvalidData", 2)
    assert len(jobsets(place)) == 1


def test_a_deadline_that_is_changed_reaches_the_jobs_of_a_jobset(
    jobset: JobSet, operator: OperatorProcess, place: Any, pair: Any, job: Job
) -> None:
    asked = document(job, "jobSet")
    uid = place.create({**asked, "spec": {**asked["spec"], "activeDeadlineSeconds": 900}})
    pair.runs(0)
    change(place, activeDeadlineSeconds=1200)
    place.wait(lambda: place.children(uid)["Job"][0].spec.active_deadline_seconds == 1200, "the Job's deadline")
    place.await_rest()
    assert place.condition(*RUN, "PodsReady") == ("True", "AllPodsReady")


def test_jobset_is_removed_under_a_running_job_and_comes_back(
    jobset: JobSet, operator: OperatorProcess, place: Any, pair: Any, job: Job
) -> None:
    """The cluster deletes every JobSet with its kind, and so their pods: the run waits, and says for what."""
    place.create(document(job, "jobSet"))
    pods = pair.runs(0)
    jobset.remove_kind()
    pair.stop(*pods)
    place.await_condition(*RUN, "Accepted", "Unknown", "BackendMissing")
    assert place.condition(*RUN, "Succeeded")[1] == "BackendMissing"
    message = next(one for one in place.get(*RUN)["status"]["conditions"] if one["type"] == "Accepted")["message"]
    assert "the operator sees no JobSets" in message
    place.await_rest()
    assert operator.running
    jobset.install()
    place.await_condition(*RUN, "Accepted", "True", "Planned")
    place.wait(lambda: bool(jobsets(place)), "it starts again")


def test_a_quota_on_jobs_keeps_a_jobset_from_its_jobs_and_is_told(
    jobset: JobSet, operator: OperatorProcess, place: Any, pair: Any, job: Job
) -> None:
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"count/jobs.batch": "0"}}}
    place.core.create_namespaced_resource_quota(place.namespace, quota)
    place.wait(lambda: place.core.read_namespaced_resource_quota("none", place.namespace).status.hard, "the quota")
    place.create(document(job, "jobSet"))
    place.await_condition(*RUN, "PodsReady", "False", "QuotaExceeded")
    place.core.delete_namespaced_resource_quota("none", place.namespace)
    pair.runs(0)
