"""Queues of Kueue that would never start a Job or the pods of a Deployment.

What others use now is no obstacle: to wait for it is what a queue is for. Source: kueue v0.17.0,
apis/kueue/v1beta2/clusterqueue_types.go.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from swiftlet.api.schema.validation import nearest
from swiftlet.api.v1alpha1.compute import exact_quantity
from swiftlet.cli.acting.obstacles.pod import Amounts, Pod, shown
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.observing.kueue import queue_of

Object = dict[str, Any]
PODS = "pods"
"""Resource of a quota that counts pods, which none of them asks for."""


def no_queue(item: Object, queues: Sequence[Object]) -> Iterator[str]:
    """A line when the LocalQueue that an object names is not there, or takes nothing."""
    name = queue_of(item)
    if not name:
        return
    found = _named(name, queues)
    if found is None:
        names = [one["metadata"]["name"] for one in queues]
        close = nearest(name, names)
        hint = f"did you mean {close}?" if close else f"it has: {', '.join(names)}" if names else "it has none"
        yield f"queue {name}: the namespace has no such LocalQueue; {hint}"
    elif (policy := found["spec"].get("stopPolicy") or "None") != "None":
        yield f"queue {name}: the LocalQueue is stopped (stopPolicy {policy})"
    elif (active := find_condition(found, "Active") or {}).get("status") == "False":
        yield f"queue {name}: the LocalQueue is not active: {active.get('message') or active.get('reason')}"


def never_admitted(item: Object, pod: Pod, queues: Sequence[Object], cluster_queues: Sequence[Object]) -> Iterator[str]:
    """A line for each resource of which the ClusterQueue of an object has too little, whatever others use."""
    queue = _named(queue_of(item), queues)
    shared = _named(queue["spec"]["clusterQueue"], cluster_queues) if queue else None
    if queue is None or shared is None:
        return
    where = f"queue {queue['metadata']['name']}: ClusterQueue {shared['metadata']['name']}"
    count = min(pod.count, 1) if item["kind"] == "Deployment" else pod.count  # its pods are admitted one by one
    wanted = {name: count * amount for name, amount in pod.requests.items() if amount and count}
    groups = shared["spec"].get("resourceGroups") or ()
    covered = {name for group in groups for name in group["coveredResources"]}
    for name in sorted(wanted.keys() - covered):
        yield f"{where} does not cover {name}: pods that ask for it are never admitted"
    for group in groups:
        yield from _too_little(where, {**wanted, PODS: Fraction(count)}, group, bool(shared["spec"].get("cohortName")))


def _too_little(where: str, wanted: Amounts, group: Object, can_borrow: bool) -> Iterator[str]:
    """One flavor has to have all resources of a group."""
    asked = {name: wanted[name] for name in group["coveredResources"] if name in wanted}
    short = [_short(asked, flavor, can_borrow) for flavor in group["flavors"]]
    if asked and all(short):
        best = min(short, key=len)
        told = ", ".join(f"{shown(name, asked[name])} {name} asked for, {shown(name, most)}" for name, most in best)
        yield f"{where} never has enough of any one flavor: {told} at most"


def _short(asked: Amounts, flavor: Object, can_borrow: bool) -> list[tuple[str, Fraction]]:
    """Resources of which a flavor has less than is asked for, with the most that it has."""
    most = {one["name"]: _most(one, can_borrow) for one in flavor["resources"]}
    found = [(name, most.get(name, Fraction(0))) for name in asked]
    return [(name, limit) for name, limit in found if limit is not None and asked[name] > limit]


def _most(resource: Object, can_borrow: bool) -> Fraction | None:
    """Nominal quota, and what may be borrowed beyond it; None: as much as the cohort has."""
    nominal, limit = exact_quantity(str(resource["nominalQuota"])), resource.get("borrowingLimit")
    if not can_borrow:
        return nominal
    return None if limit is None else nominal + exact_quantity(str(limit))


def _named(name: str | None, objects: Sequence[Object]) -> Object | None:
    return next((one for one in objects if one["metadata"]["name"] == name), None)
