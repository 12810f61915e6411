"""What a namespace and its cluster have, and all that of it stands against objects."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from swiftlet.cli.acting.obstacles.limitranges import over_limits
from swiftlet.cli.acting.obstacles.nodes import largest_gpu, no_room
from swiftlet.cli.acting.obstacles.pod import Pod, pods_of
from swiftlet.cli.acting.obstacles.queues import never_admitted, no_queue
from swiftlet.cli.acting.obstacles.quotas import over_quota

Object = dict[str, Any]


@dataclass(frozen=True)
class Surroundings:
    """`nodes`, `queues`, `cluster_queues` None: they may not be seen, or nobody needs them."""

    quotas: Sequence[Object] = ()
    limit_ranges: Sequence[Object] = ()
    nodes: Sequence[Object] | None = None
    queues: Sequence[Object] | None = None
    cluster_queues: Sequence[Object] | None = None

    def gpu_memory(self, objects: Sequence[Object]) -> int | None:
        """Bytes of the largest GPU on nodes that take the pods of objects; None: nodes do not say."""
        pods = [pod for item in objects if (pod := pods_of(item))]
        return max((found for pod in pods if (found := largest_gpu(self.nodes or (), pod))), default=None)


def obstacles(objects: Sequence[Object], around: Surroundings) -> list[str]:
    """A line for each thing that stands against the objects of one resource, when nothing else is started."""
    pods = [pod for item in objects if (pod := pods_of(item, around.limit_ranges))]
    found = [line for check in _CHECKS for line in check(objects, pods, around)]
    return list(dict.fromkeys(found))


_Check = Callable[[Sequence[Object], Sequence[Pod], Surroundings], Iterator[str]]


def _quotas(objects: Sequence[Object], pods: Sequence[Pod], around: Surroundings) -> Iterator[str]:
    for quota in around.quotas:
        yield from over_quota(quota, objects, pods)


def _limits(objects: Sequence[Object], pods: Sequence[Pod], around: Surroundings) -> Iterator[str]:
    for limits in around.limit_ranges:
        for pod in pods:
            yield from over_limits(limits, pod)


def _nodes(objects: Sequence[Object], pods: Sequence[Pod], around: Surroundings) -> Iterator[str]:
    for pod in pods if around.nodes is not None else ():
        yield from no_room(around.nodes or (), pod)


def _queues(objects: Sequence[Object], pods: Sequence[Pod], around: Surroundings) -> Iterator[str]:
    for item in objects if around.queues is not None else ():
        yield from no_queue(item, around.queues or ())
        if pod := pods_of(item, around.limit_ranges):
            yield from never_admitted(item, pod, around.queues or (), around.cluster_queues or ())


_CHECKS: tuple[_Check, ...] = (_quotas, _limits, _nodes, _queues)
