"""From a FineTuneJob to its children: made once, kept as they should be, and gone with it."""

import time
from collections.abc import Callable
from typing import Any

from kubernetes.client.exceptions import ApiException
from testbed.operator_process import OperatorProcess

Object = dict[str, Any]
Job = Callable[..., Object]


def test_a_job_gets_its_children_by_four_writes_and_two_events(operator: OperatorProcess, place: Any, job: Job) -> None:
    uid = place.create(job("bird"))
    place.await_children(uid, "ConfigMap", "Service", "Job", "Pod")
    place.await_condition("FineTuneJob", "bird", "PodsReady", "False", "Unschedulable")
    written = [write for write in place.await_rest() if not write.startswith("create events")]
    children = ["patch configmaps/bird-train", "patch services/bird-train", "patch jobs/bird-train-0"]
    assert written[:3] == children
    # One status with the children; what the Job controller and the scheduler say afterwards may come in two parts.
    assert set(written[3:]) == {"patch finetunejobs/bird"}
    assert 1 <= len(written[3:]) <= 4
    assert place.events("bird") == {"Accepted": 1, "PodCannotStart": 1}
    for kind, items in place.children(uid).items():
        if kind != "Pod":
            (child,) = items
            assert child.metadata.owner_references[0].uid == uid
            assert [entry.operation for entry in child.metadata.managed_fields if entry.manager == "swiftlet"] == [
                "Apply"
            ]


def test_nothing_is_written_while_nothing_happens(operator: OperatorProcess, place: Any, job: Job) -> None:
    for number in range(5):
        place.create(job(f"bird-{number}"))
    before = place.await_rest(2.0)
    time.sleep(25)  # longer than the list after the first watches (20 s)
    assert place.writes() == before


def test_a_child_that_is_deleted_or_edited_is_restored(operator: OperatorProcess, place: Any, job: Job) -> None:
    uid = place.create(job("bird"))
    found = place.await_children(uid, "ConfigMap", "Service", "Job")
    place.await_rest()
    (service,), (config_map,), (work,) = found["Service"], found["ConfigMap"], found["Job"]

    place.core.delete_namespaced_service("bird-train", place.namespace)
    place.wait(
        lambda: place.children(uid).get("Service", [service])[0].metadata.uid != service.metadata.uid, "a new Service"
    )

    edit = {"data": {"job.json": "{}"}, "metadata": {"labels": {"mine": "yes", "swiftlet.dev/name": "other"}}}
    place.core.patch_namespaced_config_map("bird-train", place.namespace, edit)

    def restored() -> bool:
        now = place.children(uid)["ConfigMap"][0]
        return now.data == config_map.data and now.metadata.labels == {**config_map.metadata.labels, "mine": "yes"}

    place.wait(restored, "the ConfigMap as it was, with the label that is nobody's business")

    place.batch.patch_namespaced_job("bird-train-0", place.namespace, {"spec": {"suspend": True}})
    place.wait(lambda: place.children(uid)["Job"][0].spec.suspend is False, "the Job goes on")

    place.batch.delete_namespaced_job("bird-train-0", place.namespace, propagation_policy="Background")
    place.wait(lambda: place.children(uid).get("Job", [work])[0].metadata.uid != work.metadata.uid, "a new Job")


def test_a_label_that_was_taken_away_comes_back(operator: OperatorProcess, place: Any, job: Job) -> None:
    """The owner's label is what the operator watches by: without it the child is out of sight."""
    uid = place.create(job("bird"))
    place.await_children(uid, "ConfigMap", "Service", "Job")
    place.await_rest()
    place.core.patch_namespaced_service(
        "bird-train", place.namespace, {"metadata": {"labels": {"swiftlet.dev/owner-uid": None}}}
    )
    place.wait(lambda: "Service" in place.children(uid), "the Service with its label")


def test_children_go_with_their_resource(operator: OperatorProcess, place: Any, job: Job) -> None:
    uid = place.create(job("bird"))
    place.await_children(uid, "ConfigMap", "Service", "Job", "Pod")
    place.await_rest()
    place.delete("FineTuneJob", "bird")
    place.wait(lambda: not place.children(uid), "no child is left", seconds=60)
    again = place.create(job("bird"))
    place.await_children(again, "ConfigMap", "Service", "Job")
    try:
        place.get("FineTuneJob", "bird")
    except ApiException as error:
        raise AssertionError("the new resource was taken along") from error


def test_suspending_and_resuming(operator: OperatorProcess, place: Any, job: Job) -> None:
    uid = place.create(job("bird", suspend=True))
    place.await_children(uid, "Job")
    place.await_condition("FineTuneJob", "bird", "Suspended", "True", "UserRequested")
    assert place.children(uid)["Job"][0].spec.suspend is True
    where = ("swiftlet.dev", "v1alpha1", place.namespace, "finetunejobs", "bird")
    place.custom.patch_namespaced_custom_object(*where, {"spec": {"suspend": False}})
    place.await_condition("FineTuneJob", "bird", "Suspended", "False", "Resumed")
    place.await_children(uid, "Pod")
