"""How many threads each training process may use, so that processes which run at once share the cores."""

from collections.abc import Iterable
from typing import Any

PROCESSES_VARIABLE = "PET_NPROC_PER_NODE"
"""torchrun's number of processes in one pod."""


def thread_share(jobs: Iterable[dict[str, Any]], cores: int) -> int | None:
    """Cores for each process of these Jobs, at least 1; None when a single process has them all."""
    processes = sum(
        int(job["spec"].get("parallelism", 1)) * pod_processes(job["spec"]["template"]["spec"]) for job in jobs
    )
    return max(1, cores // processes) if processes > 1 else None


def pod_processes(spec: dict[str, Any]) -> int:
    """Processes that one pod runs."""
    values = [
        variable.get("value", "")
        for container in spec["containers"]
        for variable in container.get("env") or []
        if variable["name"] == PROCESSES_VARIABLE
    ]
    return sum(int(value) for value in values if value.isdigit()) or 1
