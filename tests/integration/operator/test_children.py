"""From a FineTuneJob to its children: made once, kept as they should be, and gone with it."""

import time
from collections.abc import Callable
from typing import Any

from kubernetes.client.exceptions import ApiException
from testbed.operator_process import OperatorProcess

Object = dict[str, Any]
Job = Callable[..., Object]


def test_a_job_gets_its_children_by_three_writes_and_one_event(operator: OperatorProcess, place: Any, job: Job) -> None:
    before = place.mark()
    uid = place.create(job("bird"))
    place.await_children(uid, "NetworkPolicy", "Job", "Pod")
    place.await_condition("FineTuneJob", "bird", "PodsReady", "False", "Unschedulable")
    place.wait(lambda: set(place.events("bird")) == {"PodCannotStart"}, "the event")
    written = [write for write in place.few_writes_since(before) if " events/" not in write]
    names = ("networkpolicies/bird-train", "jobs/bird-train-0")
    assert written[:2] == [f"patch {name}" for name in names]
    # One status with the children; what the Job controller and the scheduler say afterwards may come in parts.
    assert set(written[2:]) == {"patch finetunejobs/bird"}
    assert 1 <= len(written[2:]) <= 4
    assert place.events("bird") == {"PodCannotStart": 1}
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
    before = place.await_rest(4.0)
    time.sleep(25)  # longer than the list after the first watches (20 s)
    assert place.writes() == before


def test_a_child_that_is_deleted_or_edited_is_restored(operator: OperatorProcess, place: Any, job: Job) -> None:
    uid = place.create(job("bird"))
    found = place.await_children(uid, "NetworkPolicy", "Job")
    place.await_rest()
    (policy,), (work,) = found["NetworkPolicy"], found["Job"]

    place.networking.delete_namespaced_network_policy("bird-train", place.namespace)
    place.wait(
        lambda: place.children(uid).get("NetworkPolicy", [policy])[0].metadata.uid != policy.metadata.uid, "a new one"
    )

    edit = {"spec": {"ingress": [{}]}, "metadata": {"labels": {"mine": "yes", "swiftlet.dev/name": "other"}}}
    place.networking.patch_namespaced_network_policy("bird-train", place.namespace, edit)

    def restored() -> bool:
        now = place.children(uid)["NetworkPolicy"][0]
        return now.spec == policy.spec and now.metadata.labels == {**policy.metadata.labels, "mine": "yes"}

    place.wait(restored, "the policy as it was, with the label that is nobody's business")

    place.batch.delete_namespaced_job("bird-train-0", place.namespace, propagation_policy="Background")
    place.wait(lambda: place.children(uid).get("Job", [work])[0].metadata.uid != work.metadata.uid, "a new Job")


def test_a_label_that_was_taken_away_comes_back(operator: OperatorProcess, place: Any, job: Job) -> None:
    """The owner's label is what the operator watches by: without it the child is out of sight."""
    uid = place.create(job("bird"))
    place.await_children(uid, "NetworkPolicy", "Job")
    place.await_rest()
    place.networking.patch_namespaced_network_policy(
        "bird-train", place.namespace, {"metadata": {"labels": {"swiftlet.dev/owner-uid": None}}}
    )
    place.wait(lambda: "NetworkPolicy" in place.children(uid), "the policy with its label")


def test_children_go_with_their_resource(operator: OperatorProcess, place: Any, job: Job) -> None:
    uid = place.create(job("bird"))
    place.await_children(uid, "NetworkPolicy", "Job", "Pod")
    place.await_rest()
    place.delete("FineTuneJob", "bird")
    place.wait(lambda: not place.children(uid), "no child is left")
    again = place.create(job("bird"))
    place.await_children(again, "NetworkPolicy", "Job")
    try:
        place.get("FineTuneJob", "bird")
    except ApiException as error:
        raise AssertionError("the new resource was taken along") from error


def test_suspending_and_resuming(operator: OperatorProcess, place: Any, job: Job) -> None:
    uid = place.create(job("bird", suspend=True))
    place.await_condition("FineTuneJob", "bird", "Suspended", "True", "UserRequested")
    assert not place.children(uid)
    where = ("swiftlet.dev", "v1alpha1", place.namespace, "finetunejobs", "bird")
    place.custom.patch_namespaced_custom_object(*where, {"spec": {"suspend": False}})
    place.await_children(uid, "Job", "Pod")
    for suspend, reason in ((True, "UserRequested"), (False, "Resumed")):
        before = place.await_rest()
        place.custom.patch_namespaced_custom_object(*where, {"spec": {"suspend": suspend}})
        place.await_condition("FineTuneJob", "bird", "Suspended", str(suspend), reason)
        assert place.children(uid)["Job"][0].spec.suspend is suspend
        written = place.await_rest()[len(before) :]
        assert [write for write in written if " jobs/" in write] == ["patch jobs/bird-train-0"]
    place.await_children(uid, "Pod")


def test_a_job_that_a_person_suspends_is_theirs(operator: OperatorProcess, place: Any, job: Job) -> None:
    uid = place.create(job("bird"))
    place.await_children(uid, "Pod")
    place.await_condition("FineTuneJob", "bird", "PodsReady", "False", "Unschedulable")
    place.await_rest()
    before = place.mark()
    place.batch.patch_namespaced_job("bird-train-0", place.namespace, {"spec": {"suspend": True}}, field_manager="ann")
    place.await_condition("FineTuneJob", "bird", "Suspended", "True", "SuspendedByAnother")
    template = {"spec": {"nodeSelector": {"pool": "hers"}, "tolerations": [{"key": "hers", "operator": "Exists"}]}}
    template["metadata"] = {"labels": {"hers": "yes"}}
    place.batch.patch_namespaced_job("bird-train-0", place.namespace, {"spec": {"template": template}})
    written = place.few_writes_since(before)
    assert len(written) <= 5 and not [write for write in written if " jobs/" in write], written
    conditions = place.get("FineTuneJob", "bird")["status"]["conditions"]
    told = next(found["message"] for found in conditions if found["type"] == "Succeeded")
    assert "was suspended by ann at " in told
    place.batch.patch_namespaced_job("bird-train-0", place.namespace, {"spec": {"suspend": False}})
    place.await_condition("FineTuneJob", "bird", "Suspended", "False", "Resumed")
    (work,) = place.children(uid)["Job"]
    assert work.spec.template.spec.node_selector == {"pool": "hers"}
    assert work.spec.template.metadata.labels["hers"] == "yes"


def test_a_running_job_outlives_edits_of_its_profile_and_other_versions_of_the_operator(
    operator: OperatorProcess, place: Any, job: Job
) -> None:
    """What would be rendered now, is rendered then, or was rendered by somebody else: no write to what runs."""
    profile = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ComputeProfile", "metadata": {"name": place.namespace}}
    cluster = ("swiftlet.dev", "v1alpha1", "computeprofiles")
    images = {"trainer": "none", "server": "none"}
    place.custom.create_cluster_custom_object(
        *cluster, {**profile, "spec": {"images": images, "nodeSelector": {"a": "b"}}}
    )
    try:
        uid = place.create(job("bird", compute={"profileRef": {"name": place.namespace}}))
        place.await_children(uid, "Pod")
        place.await_condition("FineTuneJob", "bird", "PodsReady", "False", "Unschedulable")
        place.await_rest(2.0)
        (work,) = place.children(uid)["Job"]
        stale = {"metadata": {"annotations": {"swiftlet.dev/plan-digest": "sha256:of-another-version"}}}
        before = place.writes()
        for selector in ({"a": "c", "d": "e"}, {"a": "b", "d": None}):
            edit = {"spec": {"nodeSelector": selector}}
            place.custom.patch_cluster_custom_object(*cluster, place.namespace, edit)
            time.sleep(2.0)
        place.batch.patch_namespaced_job("bird-train-0", place.namespace, stale)
        assert place.await_rest(3.0) == before
        (after,) = place.children(uid)["Job"]
        assert after.metadata.generation == work.metadata.generation
        suspend = {"spec": {"suspend": True}}
        where = ("swiftlet.dev", "v1alpha1", place.namespace, "finetunejobs", "bird")
        place.custom.patch_namespaced_custom_object(*where, suspend)
        place.await_condition("FineTuneJob", "bird", "Suspended", "True", "UserRequested")
        (after,) = place.children(uid)["Job"]
        assert after.spec.selector.match_labels == work.spec.selector.match_labels
    finally:
        place.custom.delete_cluster_custom_object(*cluster, place.namespace)


def test_a_running_job_whose_labels_were_taken_away_gets_them_back_and_nothing_else(
    operator: OperatorProcess, place: Any, job: Job
) -> None:
    uid = place.create(job("bird"))
    place.await_children(uid, "Pod")
    place.await_rest()
    name, namespace = "bird-train-0", place.namespace
    place.batch.patch_namespaced_job(name, namespace, {"spec": {"suspend": True}})
    place.await_condition("FineTuneJob", "bird", "Suspended", "True", "SuspendedByAnother")
    labels = {"swiftlet.dev/owner-uid": None, "swiftlet.dev/attempt": None}
    place.batch.patch_namespaced_job(name, namespace, {"metadata": {"labels": labels}})
    place.wait(lambda: "Job" in place.children(uid), "the Job with its label")
    assert place.children(uid)["Job"][0].spec.suspend is True
    place.await_rest(2.0)
    assert place.condition("FineTuneJob", "bird", "Suspended") == ("True", "SuspendedByAnother")
