"""Runs whose Jobs a real Kueue holds, stops and starts: it is left to, and status says what is true."""

from collections.abc import Callable
from typing import Any

from testbed.operator_process import OperatorProcess

JOB = "bird-train-0"
Object = dict[str, Any]
Queued = Callable[..., Object]
FewWrites = Callable[[tuple[int, int]], None]


def message(place: Any, type_: str) -> str:
    conditions = place.get("FineTuneJob", "bird")["status"]["conditions"]
    return str(next(found["message"] for found in conditions if found["type"] == type_))


def admitted(place: Any, queue: Any, document: Object) -> str:
    """Create a run and wait until it is admitted and its pods are there; its uid."""
    uid = str(place.create(document))
    place.wait(lambda: queue.has_admitted(JOB), "the Job is admitted")
    place.await_condition("FineTuneJob", "bird", "PodsReady", "False", "Unschedulable")
    place.await_rest(2.0)
    return uid


def test_a_run_waits_in_its_queue_and_starts_on_its_flavors_nodes(
    queue: Any, operator: OperatorProcess, place: Any, queued: Queued, few_writes: FewWrites
) -> None:
    queue.stop("Hold")
    uid = place.create(queued("bird"))
    place.await_children(uid, "NetworkPolicy", "Job")
    for type_, status in (
        ("QuotaReserved", "False"),
        ("Suspended", "True"),
        ("PodsReady", "False"),
        ("Running", "False"),
        ("Succeeded", "Unknown"),
    ):
        place.await_condition("FineTuneJob", "bird", type_, status, "Inadmissible")
    place.wait(lambda: queue.words("QuotaReserved") in message(place, "Suspended"), "Kueue's own words")
    assert "in LocalQueue default; " in message(place, "Succeeded")
    place.await_rest(4.0)
    before = place.mark()
    queue.stop("None")
    place.await_condition("FineTuneJob", "bird", "PodsReady", "False", "Unschedulable")
    assert queue.has_admitted(JOB)
    assert place.condition("FineTuneJob", "bird", "Suspended")[0] == "False"
    assert place.condition("FineTuneJob", "bird", "QuotaReserved") == ("True", "Admitted")
    assert f"LocalQueue default by ClusterQueue {place.namespace}" in message(place, "QuotaReserved")
    few_writes(before)


def test_a_run_that_is_preempted_waits_and_goes_on_where_it_is_admitted_again(
    queue: Any, operator: OperatorProcess, place: Any, queued: Queued, few_writes: FewWrites
) -> None:
    admitted(place, queue, queued("bird"))
    before = place.mark()
    place.create(queued("urgent", queue={"name": "team", "priorityClass": "high"}))
    place.await_condition("FineTuneJob", "urgent", "QuotaReserved", "True", "Admitted")
    place.await_condition("FineTuneJob", "bird", "Suspended", "True", "Preempted")
    place.await_condition("FineTuneJob", "bird", "QuotaReserved", "False", "Preempted")
    assert "Preempted: Preempted to accommodate a workload" in message(place, "Succeeded")
    place.few_writes_since(before)
    place.wait(lambda: queue.holds(JOB), "the Job is held")
    before = place.mark()
    place.delete("FineTuneJob", "urgent")
    place.wait(lambda: queue.has_admitted(JOB), "admitted again, for the flavor's nodes")
    place.await_condition("FineTuneJob", "bird", "PodsReady", "False", "Unschedulable")
    few_writes(before)
    status = place.get("FineTuneJob", "bird")["status"]
    assert not status.get("failure") and status["restarts"] == {"user": 0, "infrastructure": 0}


def test_a_workload_that_is_deactivated_stops_its_run_until_it_is_active_again(
    queue: Any, operator: OperatorProcess, place: Any, queued: Queued, few_writes: FewWrites
) -> None:
    admitted(place, queue, queued("bird"))
    before = place.mark()
    queue.activate(False)
    place.await_condition("FineTuneJob", "bird", "Suspended", "True", "Deactivated")
    few_writes(before)
    place.wait(lambda: queue.holds(JOB), "the Job is held")
    before = place.mark()
    queue.activate(True)
    place.await_condition("FineTuneJob", "bird", "PodsReady", "False", "Unschedulable")
    assert queue.has_admitted(JOB)
    few_writes(before)


def test_a_new_leader_leaves_a_waiting_run_waiting(
    queue: Any, operator: OperatorProcess, place: Any, queued: Queued, few_writes: FewWrites
) -> None:
    queue.stop("Hold")
    uid = place.create(queued("bird"))
    place.await_condition("FineTuneJob", "bird", "Suspended", "True", "Inadmissible")
    place.await_rest(4.0)
    (job,) = place.children(uid)["Job"]
    before = place.mark()
    operator.kill()
    operator.start()
    operator.wait_ready()
    few_writes(before)
    (after,) = place.children(uid)["Job"]
    assert after.metadata.generation == job.metadata.generation and queue.holds(JOB)
    assert place.condition("FineTuneJob", "bird", "Suspended") == ("True", "Inadmissible")


def test_a_suspended_run_gives_its_quota_back_and_goes_on_as_the_same_attempt(
    queue: Any, operator: OperatorProcess, place: Any, queued: Queued
) -> None:
    uid = admitted(place, queue, queued("bird"))
    before = place.mark()
    where = ("swiftlet.dev", "v1alpha1", place.namespace, "finetunejobs", "bird")
    place.custom.patch_namespaced_custom_object(*where, {"spec": {"suspend": True}})
    place.await_condition("FineTuneJob", "bird", "Suspended", "True", "UserRequested")
    place.wait(lambda: not queue.workloads(), "the quota is given back")
    written = place.few_writes_since(before)
    assert len(written) <= 5 and written.count(f"delete jobs/{JOB}") == 1, written
    place.wait(lambda: "Job" not in place.children(uid), "the Job is gone")
    assert place.condition("FineTuneJob", "bird", "Running") == ("False", "Suspended")
    place.await_condition("FineTuneJob", "bird", "QuotaReserved", "False", "Suspended")
    before = place.mark()
    place.custom.patch_namespaced_custom_object(*where, {"spec": {"suspend": False}})
    place.await_condition("FineTuneJob", "bird", "PodsReady", "False", "Unschedulable")
    assert queue.has_admitted(JOB)
    written = place.few_writes_since(before)
    assert [write for write in written if " jobs/" in write] == [f"patch jobs/{JOB}"], "one apply, which made it anew"
