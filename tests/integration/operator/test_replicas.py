"""Several replicas, restarts, and an API server that goes away."""

import time
from collections.abc import Callable
from typing import Any

import httpx
from kubernetes import client
from testbed.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess

Object = dict[str, Any]
Job = Callable[..., Object]
Start = Callable[..., OperatorProcess]

HOME = "swiftlet-system"
TAKEOVER_SECONDS = 20.0
"""From the last renewal to the next holder, at most, by the Lease's own stamps; docs/operator.md says so."""


def test_a_restart_repeats_nothing(operator: OperatorProcess, place: Any, job: Job) -> None:
    uids = [place.create(job(f"bird-{number}")) for number in range(5)]
    for number in range(5):
        place.await_condition("FineTuneJob", f"bird-{number}", "PodsReady", "False", "Unschedulable")
    before = place.await_rest(2.0)
    operator.kill()
    operator.start()
    operator.wait_ready()
    assert place.await_rest(3.0) == before
    late = place.create(job("late"))
    place.await_children(late, "NetworkPolicy", "Job")
    assert all(len(place.children(uid)["Job"]) == 1 for uid in uids)


def test_what_was_missed_while_nobody_worked_is_made_up_for(operator: OperatorProcess, place: Any, job: Job) -> None:
    uid = place.create(job("bird"))
    place.await_children(uid, "NetworkPolicy", "Job")
    place.await_rest()
    operator.kill()
    place.networking.delete_namespaced_network_policy("bird-train", place.namespace)
    other = place.create(job("other"))
    operator.start()
    place.await_children(uid, "NetworkPolicy")
    place.await_children(other, "Job")


def test_a_stopped_operator_ends_well(operator: OperatorProcess, place: Any, job: Job) -> None:
    place.create(job("bird"))
    began = time.monotonic()
    operator.stop()
    assert operator.exit_code == 0
    assert time.monotonic() - began < 10
    assert "Traceback" not in operator.log


def test_an_api_server_that_is_restarted(
    operator: OperatorProcess, place: Any, job: Job, stoppable: ControlPlane
) -> None:
    place.create(job("bird"))
    place.await_condition("FineTuneJob", "bird", "PodsReady", "False", "Unschedulable")
    before = place.await_rest()
    stoppable.stop("kube-apiserver")
    time.sleep(3)
    stoppable.start("kube-apiserver")
    late = place.create(job("late"))
    place.await_children(late, "NetworkPolicy", "Job")
    assert [write for write in place.await_rest()[len(before) :] if "bird" in write] == []
    assert operator.running


def test_the_standby_takes_over(start_operator: Start, place: Any, job: Job) -> None:
    lease = ("--lease-namespace", HOME, "--lease-name", "swiftlet-operator")
    first = start_operator("--identity", "first", *lease)
    first.wait_ready()
    place.wait(lambda: _leads(first), "the first leads")  # one that stands by is ready, too
    second = start_operator("--identity", "second", *lease)
    second.wait_ready()
    assert (_leads(first), _leads(second)) == (True, False)
    place.create(job("bird"))
    place.await_condition("FineTuneJob", "bird", "PodsReady", "False", "Unschedulable")
    before = place.await_rest()

    first.kill()
    renewed = _lease(place).renew_time
    place.create(job("after"))
    place.await_condition("FineTuneJob", "after", "Accepted", "True", "Planned")
    assert (_lease(place).acquire_time - renewed).total_seconds() <= TAKEOVER_SECONDS
    assert _leads(second)
    place.await_rest()
    assert [write for write in place.writes()[len(before) :] if "bird" in write] == []

    first.start()
    first.wait_ready()
    renewed = _lease(place).renew_time
    second.stop()
    place.create(job("released"))
    place.await_condition("FineTuneJob", "released", "Accepted", "True", "Planned")
    waited = (_lease(place).acquire_time - renewed).total_seconds()
    assert waited < 8, "the Lease was released: nobody had to wait for it to run out"
    assert second.exit_code == 0


def test_a_leader_that_cannot_renew_ends(start_operator: Start, place: Any) -> None:
    """Another one has taken the Lease: the former leader has to notice, to write no more, and to end."""
    name = f"swiftlet-operator-{place.namespace}"
    role = {
        "metadata": {"name": name},
        "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "patch"]}],
    }
    rbac = place.rbac
    rbac.create_namespaced_role(place.namespace, role)
    subject = {"kind": "ServiceAccount", "name": "swiftlet-operator", "namespace": HOME}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
    rbac.create_namespaced_role_binding(place.namespace, binding)
    operator = start_operator("--lease-namespace", place.namespace, "--lease-name", name)
    operator.wait_ready()
    rbac.delete_namespaced_role_binding(name, place.namespace)
    place.wait(lambda: not operator.running, "the end of the operator")
    assert operator.exit_code == 1
    assert "lease" in operator.log


def _lease(place: Any) -> Any:
    return client.CoordinationV1Api(place.api).read_namespaced_lease("swiftlet-operator", HOME).spec


def _leads(operator: OperatorProcess) -> bool:
    return "swiftlet_leader 1.0" in httpx.get(f"{operator.metrics_url}/metrics").text
