"""The API server refuses, is busy, or loses the connection; the end is the same, and nothing is hammered."""

from itertools import pairwise
from typing import Any

import pytest
from swiftlet.control.queue import retry_delay
from testbed.faults import Drop, Fault, Refuse
from testbed.scene import Scene

CHILDREN = [
    ("Job", "NAME-train-0"),
    ("NetworkPolicy", "NAME-train"),
    ("Pod", "NAME-train-0"),
]


def _trained(scene: Scene, document: Any, name: str) -> None:
    """Take a FineTuneJob to its end, and see that it came out as always."""
    uid = scene.create(document(name))["metadata"]["uid"]
    scene.start_pods(uid)
    scene.wait_condition("FineTuneJob", name, "Running", "True")
    scene.end_pods(uid)
    scene.wait_condition("FineTuneJob", name, "Succeeded", "True", "Trained")
    assert scene.children(uid) == [(kind, child.replace("NAME", name)) for kind, child in CHILDREN]
    assert scene.get("FineTuneJob", name)["status"]["restarts"] == {"user": 0, "infrastructure": 0}
    scene.wait(lambda: "Succeeded" in scene.reasons(name), "the last event")
    assert scene.told_again(name) == []


@pytest.mark.parametrize(
    "target",
    [
        {"verb": "apply", "resource": "networkpolicies"},
        {"verb": "apply", "resource": "jobs"},
        {"verb": "patch", "resource": "finetunejobs"},
    ],
    ids=lambda target: target["resource"],
)
@pytest.mark.parametrize(
    ("code", "reason"),
    [(409, "Conflict"), (500, "InternalError"), (503, "ServiceUnavailable"), (504, "Timeout")],
)
def test_a_refused_write_is_tried_again(
    scene: Scene, document: Any, target: dict[str, str], code: int, reason: str
) -> None:
    fault = Fault(Refuse(code, reason), times=3, **target)
    scene.proxy.add(fault)
    _trained(scene, document, f"refused-{target['resource']}-{code}")
    assert fault.done == 3


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_connection_makes_no_second_child(scene: Scene, document: Any, when: Any) -> None:
    resources = ("networkpolicies", "jobs")
    faults = [Fault(Drop(when), verb="apply", resource=resource, times=2) for resource in resources]
    scene.proxy.add(*faults, Fault(Drop(when), verb="patch", resource="finetunejobs", times=2))
    _trained(scene, document, f"dropped-{when}")
    assert [fault.done for fault in faults] == [2, 2] if when == "before" else all(fault.done for fault in faults)


def test_retry_after_is_honoured(scene: Scene, document: Any) -> None:
    scene.proxy.add(Fault(Refuse(429, "TooManyRequests", retry_after=2), verb="apply", resource="jobs"))
    _trained(scene, document, "throttled")
    applied = [call for call in scene.proxy.calls if (call.verb, call.resource) == ("apply", "jobs")]
    assert [call.code for call in applied[:2]] == [429, 201]
    assert applied[1].at - applied[0].at >= 2


def test_errors_in_a_row_are_tried_less_and_less_often(scene: Scene, document: Any) -> None:
    scene.proxy.add(Fault(Refuse(500), verb="apply", resource="networkpolicies", times=9))
    _trained(scene, document, "patient")
    tried = [call.at for call in scene.proxy.calls if (call.verb, call.resource) == ("apply", "networkpolicies")][:10]
    waits = [after - before for before, after in pairwise(tried)]
    assert len(waits) == 9
    # A busy machine makes waits longer, and never shorter.
    assert all(wait >= retry_delay(failures, jitter=0) for failures, wait in enumerate(waits, 1)), waits
    assert min(waits[:4]) < waits[-1] / 4, "the first waits are as long as the last one"


def test_one_resource_that_is_refused_does_not_hold_up_another(scene: Scene, document: Any) -> None:
    scene.proxy.add(Fault(Refuse(500), verb="apply", resource="jobs", name="stuck-train-0", times=1000))
    scene.create(document("stuck"))
    _trained(scene, document, "free")
    assert ("Job", "stuck-train-0") not in scene.children(scene.get("FineTuneJob", "stuck")["metadata"]["uid"])
    scene.proxy.clear()
    scene.delete("FineTuneJob", "stuck")


def test_reads_that_fail_are_waited_for(scene: Scene, document: Any) -> None:
    fault = Fault(Refuse(503, "ServiceUnavailable"), verb="get", resource="configmaps", times=3)
    scene.proxy.add(fault)
    data = {"metadata": {"name": "more-rows"}, "data": {"train.jsonl": "{}"}}
    scene.core.create_namespaced_config_map(scene.namespace, data)  # one that has not been looked up before
    unread = document("unread", datasets=[{"uri": "configmap://more-rows/train.jsonl"}])
    _trained(scene, lambda name: unread, "unread")
    assert fault.done == 3


def test_lists_that_fail_at_the_start_are_waited_for(scene: Scene, document: Any) -> None:
    scene.operator.stop()
    fault = Fault(Refuse(500), verb="list", times=2)
    scene.proxy.add(fault)
    scene.operator.start()
    _trained(scene, document, "unlisted")
    assert fault.done == 2
