"""Names that are taken, owners that go, and children that are changed by hand."""

import threading
from typing import Any

from testbed.faults import Fault, Hold
from testbed.scene import Scene

MINE = {"podSelector": {"matchLabels": {"mine": "yes"}}}


def _foreign(name: str) -> dict[str, Any]:
    return {"metadata": {"name": f"{name}-train"}, "spec": MINE}


def _selected(scene: Scene, name: str) -> Any:
    """Whose pods the policy of a run is for."""
    found = scene.networking.read_namespaced_network_policy(f"{name}-train", scene.namespace)
    return scene.api.sanitize_for_serialization(found.spec.pod_selector)


def test_a_name_that_is_taken_is_left_alone_and_taken_over_when_it_is_free(scene: Scene, document: Any) -> None:
    scene.networking.create_namespaced_network_policy(scene.namespace, _foreign("taken"))
    uid = scene.create(document("taken"))["metadata"]["uid"]
    message = scene.wait_condition("FineTuneJob", "taken", "Accepted", "False", "NameConflict")
    assert f"NetworkPolicy {scene.namespace}/taken-train exists and does not belong to this FineTuneJob" in message
    assert scene.children(uid) == []
    assert _selected(scene, "taken") == MINE["podSelector"]
    scene.wait(lambda: "Refused" in scene.reasons("taken"), "the event")
    scene.networking.delete_namespaced_network_policy("taken-train", scene.namespace)
    scene.wait_condition("FineTuneJob", "taken", "Accepted", "True")
    scene.wait(lambda: len(scene.children(uid)) == 3, "children")


def test_a_name_that_is_taken_while_the_child_is_on_its_way_is_left_alone(scene: Scene, document: Any) -> None:
    """Nobody had the name when the operator looked; somebody has it when its request arrives."""
    may_arrive = threading.Event()
    late = Fault(Hold(may_arrive), verb="apply", resource="networkpolicies", name="raced-train")
    scene.proxy.add(late)
    uid = scene.create(document("raced"))["metadata"]["uid"]
    scene.wait(lambda: late.done == 1, "the operator applies")
    scene.networking.create_namespaced_network_policy(scene.namespace, _foreign("raced"))
    may_arrive.set()
    scene.wait_condition("FineTuneJob", "raced", "Accepted", "False", "NameConflict")
    assert _selected(scene, "raced") == MINE["podSelector"]
    assert scene.children(uid) == []


def test_of_two_resources_with_one_name_the_second_waits_for_the_children_of_the_first(
    scene: Scene, document: Any
) -> None:
    """Deleted and created again at once: the new one has another uid, and the old children must go first."""
    first = scene.create(document("twice"))["metadata"]["uid"]
    scene.wait(lambda: len(scene.children(first)) == 3, "children")
    scene.delete("FineTuneJob", "twice")
    second = scene.create(document("twice"))["metadata"]["uid"]
    scene.wait(lambda: len(scene.children(second)) == 3 and scene.children(first) == [], "its own children")
    scene.start_pods(second)
    scene.wait_condition("FineTuneJob", "twice", "Running", "True")


def test_an_owner_that_is_deleted_in_the_middle_leaves_nothing_behind(scene: Scene, document: Any) -> None:
    """It goes while its Job is on its way to the API server."""
    may_arrive = threading.Event()
    late = Fault(Hold(may_arrive), verb="apply", resource="jobs", name="orphaned-train-0")
    scene.proxy.add(late)
    uid = scene.create(document("orphaned"))["metadata"]["uid"]
    scene.wait(lambda: late.done == 1, "the operator applies the Job")
    scene.delete("FineTuneJob", "orphaned")
    may_arrive.set()
    scene.wait_quiet(2)
    scene.wait(lambda: scene.children(uid) == [], "everything is collected")
    scene.proxy.clear()
    scene.wait_quiet(2)
    assert [call for call in scene.proxy.writes if "orphaned" in call.path] == []


def test_an_owner_that_is_deleted_before_a_killed_operator_returns_leaves_nothing_behind(
    scene: Scene, document: Any
) -> None:
    uid = scene.create(document("forsaken"))["metadata"]["uid"]
    scene.wait(lambda: len(scene.children(uid)) == 3, "children")
    scene.operator.kill()
    scene.proxy.clear()
    scene.delete("FineTuneJob", "forsaken")
    scene.wait(lambda: scene.children(uid) == [], "everything is collected")
    scene.operator.wait_ready()
    scene.wait_quiet(1)
    assert [call for call in scene.proxy.writes if "forsaken" in call.path] == []


def test_a_child_that_is_edited_or_deleted_by_hand_is_restored(scene: Scene, document: Any) -> None:
    uid = scene.create(document("edited"))["metadata"]["uid"]
    scene.wait(lambda: len(scene.children(uid)) == 3, "children")
    scene.start_pods(uid)
    scene.wait_condition("FineTuneJob", "edited", "Running", "True")
    before = _selected(scene, "edited")
    edit = {"spec": {"podSelector": {"matchLabels": {"swiftlet.dev/owner-uid": "another"}}}}
    scene.networking.patch_namespaced_network_policy("edited-train", scene.namespace, edit)
    scene.wait(lambda: _selected(scene, "edited") == before, "its old selector")
    scene.networking.delete_namespaced_network_policy("edited-train", scene.namespace)
    scene.wait(lambda: ("NetworkPolicy", "edited-train") in scene.children(uid), "the policy")


def test_what_others_add_to_a_child_stays(scene: Scene, document: Any) -> None:
    uid = scene.create(document("shared"))["metadata"]["uid"]
    scene.wait(lambda: len(scene.children(uid)) == 3, "children")
    where, mine = ("shared-train", scene.namespace), {"metadata": {"annotations": {"mine": "yes"}}}
    scene.networking.patch_namespaced_network_policy(*where, mine)
    scene.wait_quiet(1)
    annotations = scene.networking.read_namespaced_network_policy(*where).metadata.annotations
    assert annotations["mine"] == "yes"
