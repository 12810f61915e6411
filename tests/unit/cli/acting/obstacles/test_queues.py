from typing import Any

import pytest
from swiftlet.cli.acting.obstacles.pod import Container, Pod, amounts
from swiftlet.cli.acting.obstacles.queues import never_admitted, no_queue

Object = dict[str, Any]
GPU = "nvidia.com/gpu"
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


def asks(kind: str, count: int, **requests: str) -> tuple[Object, Pod]:
    container = Container("train", amounts({name.replace("gpu", GPU): text for name, text in requests.items()}), {})
    return {**JOB, "kind": kind}, Pod({}, count, (container,))


def cluster_queue(*flavors: Object, covered: tuple[str, ...] = ("cpu", GPU), **spec: Any) -> Object:
    """A ClusterQueue with flavors of quotas by resource."""
    resources = [[{"name": name, **quota} for name, quota in flavor.items()] for flavor in flavors]
    listed = [{"name": f"f{index}", "resources": each} for index, each in enumerate(resources)]
    group = {"coveredResources": list(covered), "flavors": listed}
    return {"metadata": {"name": "shared"}, "spec": {"resourceGroups": [group], **spec}}


def quota(cpu: str, gpu: str, **more: str) -> Object:
    return {"cpu": {"nominalQuota": cpu}, GPU: {"nominalQuota": gpu, **more}}


@pytest.mark.parametrize(
    ("asked", "shared", "lines"),
    [
        (asks("Job", 2, cpu="4", gpu="4"), cluster_queue(quota("8", "8")), []),
        (
            asks("Job", 4, cpu="1", gpu="4"),
            cluster_queue(quota("64", "8")),
            ["never has enough of any one flavor: 16 nvidia.com/gpu asked for, 8 at most"],
        ),
        (asks("Job", 4, cpu="1", gpu="4"), cluster_queue(quota("64", "8"), quota("8", "16")), []),
        (
            asks("Job", 4, cpu="4", gpu="4"),
            cluster_queue(quota("64", "8"), quota("8", "16")),
            ["never has enough of any one flavor: 16 nvidia.com/gpu asked for, 8 at most"],
        ),
        (asks("Deployment", 4, cpu="1", gpu="4"), cluster_queue(quota("64", "8")), []),
        (
            asks("JobSet", 4, cpu="1", gpu="4"),
            cluster_queue(quota("64", "8")),
            ["never has enough of any one flavor: 16 nvidia.com/gpu asked for, 8 at most"],
        ),
        (asks("Job", 4, cpu="1", gpu="4"), cluster_queue(quota("64", "8"), cohortName="all"), []),
        (
            asks("Job", 4, cpu="1", gpu="4"),
            cluster_queue(quota("64", "8", borrowingLimit="4"), cohortName="all"),
            ["never has enough of any one flavor: 16 nvidia.com/gpu asked for, 12 at most"],
        ),
        (
            asks("Job", 1, cpu="1", memory="1Gi"),
            cluster_queue(quota("64", "8")),
            ["does not cover memory: pods that ask for it are never admitted"],
        ),
        (
            asks("Job", 3, cpu="1"),
            cluster_queue({"cpu": {"nominalQuota": "9"}, "pods": {"nominalQuota": "2"}}, covered=("cpu", "pods")),
            ["never has enough of any one flavor: 3 pods asked for, 2 at most"],
        ),
    ],
)
def test_what_the_cluster_queue_never_has(asked: tuple[Object, Pod], shared: Object, lines: list[str]) -> None:
    local = {**queue("gpus"), "spec": {"clusterQueue": "shared"}}
    found = list(never_admitted(*asked, [local], [shared]))
    assert found == [f"queue gpus: ClusterQueue shared {line}" for line in lines]
    assert list(never_admitted(*asked, [local], [])) == [], "a ClusterQueue that may not be seen"
