"""Whether this machine has what a pod asks for, as a scheduler with one node decides it."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swiftlet.api.v1alpha1.compute import parse_quantity

GPU = "nvidia.com/gpu"
IGNORED_FIELDS = (
    "nodeSelector", "nodeName", "affinity", "tolerations", "topologySpreadConstraints", "priorityClassName",
    "schedulerName", "runtimeClassName",
)  # fmt: skip
"""Fields of a pod's spec that choose between nodes; here there is one."""
_SHOWN = {"memory": 2**30, "ephemeral-storage": 2**30}


@dataclass(frozen=True)
class Machine:
    """What this machine has."""

    capacity: dict[str, float]
    """By resource name, in base units (cores, bytes, devices)."""
    gpus: tuple[str, ...] = ()
    """Names for CUDA_VISIBLE_DEVICES, one for each GPU."""


def this_machine(state: Path, environ: Mapping[str, str]) -> Machine:
    """Cores, memory and disk of this machine, and the NVIDIA GPUs that CUDA_VISIBLE_DEVICES leaves."""
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    devices = [path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*")]
    gpus = (
        [name for name in visible.split(",") if name and name != "-1"]
        if visible is not None
        else sorted(devices, key=int)
    )
    disk = os.statvfs(next(path for path in (state, *state.parents) if path.exists()))
    capacity = {
        "cpu": float(len(os.sched_getaffinity(0))),
        "memory": float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")),
        "ephemeral-storage": float(disk.f_bavail * disk.f_frsize),
        GPU: float(len(gpus) if devices else 0),
    }
    return Machine(capacity, tuple(gpus) if devices else ())


def requests_of(spec: dict[str, Any]) -> dict[str, float]:
    """What a pod needs: the sum of its containers, or the largest init container where that is more.

    A limit counts as the request where none is given. Source: Kubernetes, pod resource requests.
    """
    running: dict[str, float] = {}
    for container in spec["containers"]:
        for name, amount in _requests(container).items():
            running[name] = running.get(name, 0.0) + amount
    for container in spec.get("initContainers") or []:
        for name, amount in _requests(container).items():
            running[name] = max(running.get(name, 0.0), amount)
    return running


def shortage(spec: dict[str, Any], others: Iterable[dict[str, Any]], machine: Machine) -> str | None:
    """Why a pod cannot run beside the pods `others` (specs), with the figures; None when it can."""
    used: dict[str, float] = {}
    for other in others:
        for name, amount in requests_of(other).items():
            used[name] = used.get(name, 0.0) + amount
    lines = []
    for name, amount in sorted(requests_of(spec).items()):
        free = machine.capacity.get(name, 0.0) - used.get(name, 0.0)
        if amount > free:
            busy = f", {_text(name, used[name])} of it used by other pods" if used.get(name) else ""
            has = _text(name, machine.capacity.get(name, 0.0))
            lines.append(f"Insufficient {name}: the pod asks for {_text(name, amount)}, this machine has {has}{busy}")
    return f"0/1 nodes are available: {'; '.join(lines)}" if lines else None


def _requests(container: dict[str, Any]) -> dict[str, float]:
    resources = container.get("resources") or {}
    merged = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return {name: parse_quantity(str(amount)) for name, amount in merged.items()}


def _text(name: str, amount: float) -> str:
    return f"{amount / _SHOWN[name]:.1f}Gi" if name in _SHOWN else f"{amount:g}"
