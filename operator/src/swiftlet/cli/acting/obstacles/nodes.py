"""Nodes that pods would not find room on.

It is counted with what nodes have in all: what others use of it now may be free when the pods come.
Source: Kubernetes, "Taints and Tolerations"; "Assigning Pods to Nodes".
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from swiftlet.api.v1alpha1.compute import exact_quantity
from swiftlet.cli.acting.obstacles.pod import Amounts, Pod, shown

Object = dict[str, Any]
CORDONED = "cordoned"
GPU_MEMORY = "nvidia.com/gpu.memory"


def no_room(nodes: Sequence[Object], pod: Pod) -> Iterator[str]:
    """A line when not all pods fit at once on the nodes that take them."""
    reasons = {node["metadata"]["name"]: _unfit(node, pod.spec) for node in nodes}
    fitting = [node for node in nodes if not reasons[node["metadata"]["name"]]]
    if not fitting:
        counts = Counter(reason for reason in reasons.values() if reason)
        why = "; ".join(f"{count} {reason}" for reason, count in counts.most_common())
        yield f"nodes: none of {len(nodes)} takes the pods" + (f": {why}" if why else "")
        return
    wanted = {name: amount for name, amount in pod.requests.items() if amount}
    room = sum(_pods_that_fit(node, wanted, pod.count) for node in fitting)
    if room < pod.count:
        asked = ", ".join(f"{name} {shown(name, amount)}" for name, amount in wanted.items())
        yield (
            f"nodes: {room} of {pod.count} pods ({asked} each) fit on the {len(fitting)} of {len(nodes)} nodes that"
            f" take them{_largest(fitting, wanted)}"
        )


def largest_gpu(nodes: Sequence[Object], pod: Pod) -> int | None:
    """Bytes of the largest GPU on nodes that take a pod, by the label (MiB) of NVIDIA's GPU feature discovery; None
    where no node has it."""
    labels = [node["metadata"].get("labels") or {} for node in nodes if not _unfit(node, pod.spec)]
    found = [int(one[GPU_MEMORY]) for one in labels if str(one.get(GPU_MEMORY, "")).isdigit()]
    return max(found) << 20 if found else None


def _largest(nodes: Sequence[Object], wanted: Amounts) -> str:
    most = {name: max(_allocatable(node, name) for node in nodes) for name in wanted}
    short = [f"{name} {shown(name, most[name])}" for name in wanted if most[name] < wanted[name]]
    return f": the largest has {', '.join(short)}" if short else ""


def _unfit(node: Object, pod: Object) -> str:
    """Why a node does not take a pod; empty when it does."""
    if node["spec"].get("unschedulable"):
        return CORDONED
    labels = node["metadata"].get("labels") or {}
    for key, value in (pod.get("nodeSelector") or {}).items():
        if labels.get(key) != value:
            return f"without the label {key}={value}"
    for taint in node["spec"].get("taints") or ():
        if taint["effect"] != "PreferNoSchedule" and not any(
            _tolerates(one, taint) for one in pod.get("tolerations") or ()
        ):
            value = f"={taint['value']}" if taint.get("value") else ""
            return f"with the taint {taint['key']}{value}:{taint['effect']}, which the ComputeProfile does not tolerate"
    return ""


def _tolerates(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if (toleration.get("operator") or "Equal") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return toleration.get("key") == taint["key"] and (toleration.get("value") or "") == (taint.get("value") or "")


def _pods_that_fit(node: Object, wanted: Amounts, most: int) -> int:
    return min([most, *(int(_allocatable(node, name) / amount) for name, amount in wanted.items())])


def _allocatable(node: Object, resource: str) -> Fraction:
    return exact_quantity(str(((node.get("status") or {}).get("allocatable") or {}).get(resource, "0")))
