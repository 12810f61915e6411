from typing import Any

import pytest
from swiftlet.cli.acting.obstacles.queues import no_queue

Object = dict[str, Any]
JOB = {"metadata": {"labels": {"kueue.x-k8s.io/queue-name": "gpus"}}}


def queue(name: str, stop: str | None = None, active: str = "True") -> Object:
    condition = {"type": "Active", "status": active, "reason": "ClusterQueueIsInactive", "message": "it is stopped"}
    return {"metadata": {"name": name}, "spec": {"stopPolicy": stop}, "status": {"conditions": [condition]}}


@pytest.mark.parametrize(
    ("queues", "lines"),
    [
        ([queue("gpus")], []),
        ([queue("gpu")], ["queue gpus: the namespace has no such LocalQueue; did you mean gpu?"]),
        ([], ["queue gpus: the namespace has no such LocalQueue; it has none"]),
        ([queue("gpus", "Hold")], ["queue gpus: the LocalQueue is stopped (stopPolicy Hold)"]),
        ([queue("gpus", active="False")], ["queue gpus: the LocalQueue is not active: it is stopped"]),
    ],
)
def test_the_queue_of_a_job(queues: list[Object], lines: list[str]) -> None:
    assert list(no_queue(JOB, queues)) == lines


def test_without_a_queue_nothing_is_asked() -> None:
    assert list(no_queue({"metadata": {}}, [])) == []
