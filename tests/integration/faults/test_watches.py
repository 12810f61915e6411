"""Watches break, and the operator sees everything all the same."""

from typing import Any

import pytest
from testbed.faults import EndWatch, Fault, Refuse
from testbed.scene import Scene


@pytest.mark.parametrize("how", ["torn", "closed", "gone"])
def test_what_happens_while_no_watch_is_open_is_seen(scene: Scene, document: Any, how: Any) -> None:
    """Pods end, and another resource is deleted, between the end of the watches and their return."""
    name, other = f"watched-{how}", f"gone-{how}"
    uid = scene.create(document(name))["metadata"]["uid"]
    other_uid = scene.create(document(other))["metadata"]["uid"]
    scene.start_pods(uid)
    scene.wait_condition("FineTuneJob", name, "Running", "True")
    refusing = Fault(Refuse(503, "ServiceUnavailable"), verb="watch", times=4)
    scene.proxy.add(refusing)
    assert scene.proxy.end_watches(EndWatch(how)) > 0
    scene.end_pods(uid)
    scene.delete("FineTuneJob", other)
    scene.wait_condition("FineTuneJob", name, "Succeeded", "True", "Trained")
    assert refusing.done > 0
    scene.wait(lambda: scene.children(other_uid) == [], "children of the deleted job are gone")
    scene.wait_quiet()
    scene.wait(lambda: scene.reasons(name) >= {"Started", "Succeeded"}, "the events")
    assert scene.told_again(name) == []
    # The deleted one is forgotten: no write is tried for it any more.
    scene.proxy.clear()
    scene.wait_quiet(2)
    assert [call for call in scene.proxy.writes if other in call.path] == []


def test_a_watch_that_ends_again_and_again_costs_no_writes(scene: Scene, document: Any) -> None:
    uid = scene.create(document("rewatched"))["metadata"]["uid"]
    scene.start_pods(uid)
    scene.wait_condition("FineTuneJob", "rewatched", "Running", "True")
    scene.wait_quiet(2)
    scene.proxy.clear()
    for _ in range(4):
        scene.proxy.end_watches(EndWatch("gone"))
        scene.wait(lambda: len([c for c in scene.proxy.calls if c.verb == "watch"]) > 0, "a new watch")
    scene.wait_quiet(1)
    assert scene.proxy.writes == []


def test_a_child_that_is_deleted_while_nobody_watches_comes_back(scene: Scene, document: Any) -> None:
    uid = scene.create(document("restored"))["metadata"]["uid"]
    scene.start_pods(uid)
    scene.wait_condition("FineTuneJob", "restored", "Running", "True")
    scene.proxy.add(Fault(Refuse(503, "ServiceUnavailable"), verb="watch", times=4))
    scene.proxy.end_watches(EndWatch("gone"))
    scene.networking.delete_namespaced_network_policy("restored-train", scene.namespace)
    scene.wait(lambda: ("NetworkPolicy", "restored-train") in scene.children(uid), "the policy is back")
