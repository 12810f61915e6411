"""QuotaReserved of runs in a queue, from the first look to the end."""

from typing import Any

import pytest
from swiftlet.kinds.observing.kueue import workload_names

QUEUE = {"name": "team", "priorityClass": "low"}
JOBS = {"FineTuneJob": "bird-train-0", "EvalRun": "bird-eval"}


def start(world: Any, documents: Any, kind: str, **spec: Any) -> dict[str, Any]:
    """A run whose Job Kueue's webhook has suspended as it was made; the Job."""
    world.trained() if kind == "EvalRun" else world.data()
    world.add(documents[kind], **{"queue": QUEUE, **spec})
    world.reconcile(kind)
    job: dict[str, Any] = world.objects["Job", "default", JOBS[kind]]
    job["spec"]["suspend"] = True
    job["status"] = {"active": 0, "conditions": [{"type": "Suspended", "status": "True"}]}
    return job


def kueue_says(world: Any, job: dict[str, Any], *conditions: tuple[str, str, str, str]) -> None:
    metadata = job["metadata"]
    name = workload_names("Job", "batch", metadata["name"], metadata["uid"])[0]
    said = [dict(zip(("type", "status", "reason", "message"), one, strict=True)) for one in conditions]
    workload = {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "Workload", "metadata": {"name": name}, "spec": {}}
    world.put({**workload, "status": {"conditions": said}})


def admit(job: dict[str, Any], cluster_queue: str | None = "shared") -> None:
    job["spec"]["suspend"] = False
    job["spec"]["template"]["metadata"]["labels"] |= {"kueue.x-k8s.io/podset": "main"}
    if cluster_queue:
        job["spec"]["template"]["metadata"]["labels"]["kueue.x-k8s.io/cluster-queue-name"] = cluster_queue


@pytest.mark.parametrize("kind", JOBS)
def test_from_the_queue_to_the_end(world: Any, documents: Any, assert_fixpoint: Any, kind: str) -> None:
    job = start(world, documents, kind)
    labels = job["metadata"]["labels"]
    assert labels["kueue.x-k8s.io/queue-name"] == "team" and labels["kueue.x-k8s.io/priority-class"] == "low"
    kueue_says(world, job, ("QuotaReserved", "False", "Pending", "4 more needed"))
    world.reconcile(kind)
    status, reason, message = world.condition(kind, "QuotaReserved")
    assert (status, reason) == ("False", "Queued") and "4 more needed" in message
    assert world.condition(kind, "Succeeded") == ("Unknown", "Queued", message)
    assert_fixpoint(world, kind)
    admit(job)
    world.job_runs(JOBS[kind])
    world.reconcile(kind)
    assert world.condition(kind, "QuotaReserved")[:2] == ("True", "Admitted")
    assert "LocalQueue team by ClusterQueue shared" in world.condition(kind, "QuotaReserved")[2]
    assert world.condition(kind, "Suspended")[0] == "False"
    world.job_fails(JOBS[kind], "PodFailurePolicy")
    world.pod_dies(JOBS[kind], 2, "bad rows")
    world.reconcile(kind)
    assert world.condition(kind, "QuotaReserved")[:2] == ("False", "Finished")


@pytest.mark.parametrize("kind", JOBS)
def test_a_preempted_run_is_neither_failed_nor_restarted(world: Any, documents: Any, kind: str) -> None:
    job = start(world, documents, kind)
    admit(job)
    world.job_runs(JOBS[kind])
    world.reconcile(kind)
    world.pod_dies(JOBS[kind], 143, "stopped")
    job["spec"]["suspend"] = True
    del job["spec"]["template"]["metadata"]["labels"]["kueue.x-k8s.io/podset"]
    why = "Preempted to accommodate a workload"
    kueue_says(world, job, ("Evicted", "True", "Preempted", why), ("QuotaReserved", "False", "Pending", why))
    outcome = world.reconcile(kind)
    assert not outcome.delete and not outcome.patches
    for type_, status in (("QuotaReserved", "False"), ("Suspended", "Unknown"), ("Succeeded", "Unknown")):
        assert world.condition(kind, type_)[:2] == (status, "Preempted")
    assert why in world.condition(kind, "Suspended")[2]
    assert "failure" not in world.status(kind)
    assert world.status(kind)["restarts"] == {"user": 0, "infrastructure": 0}


def test_a_queue_that_is_not_there_is_told_with_the_remedy_and_another_name_is_taken(
    world: Any, documents: Any
) -> None:
    job = start(world, documents, "FineTuneJob")
    kueue_says(world, job, ("QuotaReserved", "False", "Inadmissible", "LocalQueue team doesn't exist"))
    world.reconcile("FineTuneJob")
    status, reason, message = world.condition("FineTuneJob", "QuotaReserved")
    assert (status, reason) == ("False", "Inadmissible")
    assert "LocalQueue team doesn't exist" in message and "have it made or started, or name another" in message
    world.objects["FineTuneJob", "default", "bird"]["spec"]["queue"] = {"name": "teams"}
    assert [ref.name for ref in world.reconcile("FineTuneJob").delete] == ["bird-train-0"]
    world.reconcile("FineTuneJob")
    labels = world.objects["Job", "default", "bird-train-0"]["metadata"]["labels"]
    assert labels["kueue.x-k8s.io/queue-name"] == "teams" and "kueue.x-k8s.io/priority-class" not in labels


def test_another_queue_waits_until_no_pod_works(world: Any, documents: Any) -> None:
    job = start(world, documents, "FineTuneJob")
    admit(job)
    world.job_runs("bird-train-0")
    world.objects["FineTuneJob", "default", "bird"]["spec"]["queue"] = {"name": "other"}
    outcome = world.reconcile("FineTuneJob")
    assert not outcome.delete
    assert "other is for the next time that no pod works" in world.condition("FineTuneJob", "QuotaReserved")[2]


def test_a_suspended_run_gives_its_quota_back(world: Any, documents: Any) -> None:
    job = start(world, documents, "FineTuneJob")
    admit(job, cluster_queue=None)
    world.reconcile("FineTuneJob")
    assert world.condition("FineTuneJob", "QuotaReserved")[2].endswith("LocalQueue team")
    world.objects["FineTuneJob", "default", "bird"]["spec"]["suspend"] = True
    assert [ref.name for ref in world.reconcile("FineTuneJob").delete] == ["bird-train-0"]
    world.reconcile("FineTuneJob")
    assert world.condition("FineTuneJob", "QuotaReserved")[:2] == ("False", "Suspended")


def test_a_run_that_nothing_holds_is_not_said_to_have_quota(world: Any, documents: Any) -> None:
    job = start(world, documents, "FineTuneJob")
    job["spec"]["suspend"] = False
    world.reconcile("FineTuneJob")
    status, reason, message = world.condition("FineTuneJob", "QuotaReserved")
    assert (status, reason) == ("Unknown", "NotManaged") and "not installed, or does not manage Jobs" in message


def test_a_priority_that_is_not_there_leaves_no_workload_to_read(world: Any, documents: Any) -> None:
    start(world, documents, "FineTuneJob")
    world.reconcile("FineTuneJob")
    message = world.condition("FineTuneJob", "QuotaReserved")[2]
    assert "lists nothing, WorkloadPriorityClass low may not be there: name another" in message


def test_without_a_queue_nothing_is_said_of_quota(world: Any, documents: Any) -> None:
    world.data()
    world.add(documents["FineTuneJob"])
    types = [one["type"] for one in world.reconcile("FineTuneJob").status["conditions"]]
    assert "QuotaReserved" not in types


@pytest.mark.parametrize("kind", JOBS)
def test_in_the_default_queue_a_suspended_run_says_so_though_its_job_is_gone(
    world: Any, documents: Any, assert_fixpoint: Any, kind: str
) -> None:
    """Kueue alone names that queue, on the Job."""
    job = start(world, documents, kind, queue=None)
    job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] = "default"
    world.reconcile(kind)
    assert world.condition(kind, "QuotaReserved")[:2] == ("False", "Queued")
    world.objects[kind, "default", documents[kind]["metadata"]["name"]]["spec"]["suspend"] = True
    for _ in range(2):
        world.reconcile(kind)
        assert world.condition(kind, "QuotaReserved")[:2] == ("False", "Suspended")
    assert ("Job", "default", JOBS[kind]) not in world.objects
    assert_fixpoint(world, kind)
