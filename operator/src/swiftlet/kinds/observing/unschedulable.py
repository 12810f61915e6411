"""Why no node takes a pod, from what the scheduler says about it."""

import re
from collections.abc import Mapping
from typing import Any

from swiftlet.kinds.conditions.condition import find_condition

_SHORT = re.compile(r"Insufficient ([A-Za-z0-9./_-]*[A-Za-z0-9])")
_VOLUMES = re.compile(r"persistent ?volume", re.IGNORECASE)
_PLACEMENT = re.compile(r"untolerated taint|node affinity|node selector", re.IGNORECASE)
"""Words of the scheduler's plugins for resources, volumes, affinity and taints; the local engine uses the same.
Source: Kubernetes, pkg/scheduler/framework/plugins."""


def unschedulable(pod: dict[str, Any], unbound: Mapping[str, str]) -> tuple[str, str] | None:
    """(reason, message with the remedy), or None for a pod that no scheduler has refused, or that runs since.

    unbound: claims that have no volume yet, by name, in words.
    """
    condition = find_condition(pod, "PodScheduled")
    is_running = (pod.get("status") or {}).get("phase") == "Running"
    if condition is None or condition["status"] != "False" or is_running:
        return None
    reason, said = condition.get("reason") or "Unschedulable", condition.get("message") or "no node takes it"
    if reason != "Unschedulable":
        return reason, said
    if unbound and _VOLUMES.search(said):
        claims = "; ".join(f"PersistentVolumeClaim {name} is {words}" for name, words in unbound.items())
        return "VolumePending", f"{claims} ({said}); `kubectl describe pvc` says what it waits for"
    short = list(dict.fromkeys(_SHORT.findall(said)))
    if short:
        return reason, f"too little {', '.join(short)}: {said}; {_less(short)}, or add nodes"
    if _PLACEMENT.search(said):
        return reason, f"{said}; check nodeSelector and tolerations of the ComputeProfile, or add such nodes"
    return reason, f"{said}; add nodes that can take it, or change what it asks for"


def _less(short: list[str]) -> str:
    """What to ask less of: cpu and memory have no domain in their names, devices do."""
    fields = ["compute.resources"] if any("/" not in name for name in short) else []
    fields += ["compute.gpus or the ComputeProfile's network.rdma"] if any("/" in name for name in short) else []
    return f"ask for less in {' and '.join(fields)}"
