"""A leader that is cut off: what it has sent must not arrive after another one has taken over."""

from collections.abc import Callable
from typing import Any

import pytest
from swiftlet.kube.lease import DURATION_SECONDS
from testbed.controlplane import ControlPlane
from testbed.faults import Delay, Fault, Refuse
from testbed.operator_process import OperatorProcess
from testbed.scene import Scene

Object = dict[str, Any]


@pytest.mark.parametrize("renewals", [Delay(120), Refuse(429, "TooManyRequests", retry_after=1)], ids=["hang", "429"])
def test_no_write_of_a_former_leader_arrives_after_another_one_has_taken_over(
    new_scene: Callable[..., Scene], document: Callable[..., Object], control_plane: ControlPlane, renewals: Any
) -> None:
    """Its apply is under way for longer than the Lease lasts. The successor speaks to the API server directly."""
    scene = new_scene("--lease-namespace", "default", "--lease-name", f"fencing-{type(renewals).__name__.lower()}")
    lease = scene.operator.flags
    successor = OperatorProcess(control_plane, control_plane.kubeconfig, scene.namespace, *lease)
    late = Fault(Delay(DURATION_SECONDS + 2), verb="apply", resource="jobs")
    scene.proxy.add(late, Fault(renewals, verb="patch", resource="leases", times=1000))
    uid = scene.create(document("late"))["metadata"]["uid"]
    scene.wait(lambda: late.done == 1, "the leader applies the Job")
    successor.start()
    try:
        scene.wait(lambda: len(scene.children(uid)) == 3, "the successor's children", seconds=120)
        jobs = [call for call in scene.proxy.calls if (call.verb, call.resource) == ("apply", "jobs")]
        assert [call.reached for call in jobs] == [False]
        assert scene.batch.read_namespaced_job("late-train-0", scene.namespace).metadata.generation == 1
        assert "the lease was lost" in scene.operator.log
    finally:
        successor.kill()
