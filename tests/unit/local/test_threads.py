"""Sharing cores among training processes."""

from typing import Any

import pytest
from swiftlet.local.threads import thread_share


def job(parallelism: int, processes: int | None = None) -> dict[str, Any]:
    env = [{"name": "PET_NPROC_PER_NODE", "value": str(processes)}] if processes else []
    return {"spec": {"parallelism": parallelism, "template": {"spec": {"containers": [{"env": env}]}}}}


@pytest.mark.parametrize(
    ("jobs", "cores", "threads"),
    [
        ([job(1)], 8, None),
        ([job(2)], 8, 4),
        ([job(2, 2)], 8, 2),
        ([job(1), job(1)], 8, 4),
        ([job(4, 4)], 8, 1),
        ([], 8, None),
    ],
)
def test_cores_are_divided_among_processes(jobs: list[dict[str, Any]], cores: int, threads: int | None) -> None:
    assert thread_share(jobs, cores) == threads
