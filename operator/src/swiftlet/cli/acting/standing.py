"""How a document stands to a cluster: what its application would change, and what of the cluster is against it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from swiftlet.cli.acting.changes import Change, changes
from swiftlet.cli.acting.imagining import FORBIDDEN, ClusterImagined
from swiftlet.cli.acting.obstacles.around import Surroundings, obstacles
from swiftlet.cli.acting.obstacles.mentions import mentions_of
from swiftlet.cli.acting.obstacles.pod import pods_of
from swiftlet.cli.acting.planning import PlannedResource
from swiftlet.cluster.errors import RefusedError
from swiftlet.cluster.kinds import READ_TYPES
from swiftlet.cluster.objects import ClusterObjects
from swiftlet.documents import Document
from swiftlet.kinds.conditions.summary import settled
from swiftlet.kinds.frame.reading import OWNER_LABEL

Object = dict[str, Any]
WORKLOADS = ("Job", "Deployment")


@dataclass(frozen=True)
class Standing:
    """One document. `state`: new, changed, unchanged or refused, by the API server."""

    state: str
    changes: tuple[Change, ...] = ()
    against: tuple[str, ...] = ()
    """A line for each thing; of the API server, of the namespace, of the nodes."""
    gpu_memory: int | None = None
    """Bytes of the largest GPU on nodes that take the pods; None: nodes do not say."""

    def document(self) -> Object:
        """As JSON."""
        changed = [change._asdict() for change in self.changes]
        return {"state": self.state, "changes": changed, "against": list(self.against)}


def applied(document: Document, cluster: ClusterObjects) -> tuple[Object | None, Standing]:
    """What is stored now, and what the API server says to the document."""
    kind, namespace, name = document.key
    before = None
    try:
        before = cluster.get(kind, namespace or None, name)
        after = cluster.imagine(document.object)
    except RefusedError as error:
        return before, Standing("refused", against=(str(error),))
    if before is None:
        return None, Standing("new")
    found = tuple(changes(before, after))
    return before, Standing("changed" if found else "unchanged", found)


def against(
    planned: PlannedResource,
    stored: Object | None,
    imagined: ClusterImagined,
    cluster: ClusterObjects,
    around: Surroundings,
) -> tuple[str, ...]:
    """What stands against the pods of a resource, where they are not there already or over."""
    if stored is not None and (settled(stored) or _has_workload(stored, cluster)):
        return ()
    return (*_missing(planned.objects, imagined), *obstacles(planned.objects, around))


def _has_workload(stored: Object, cluster: ClusterObjects) -> bool:
    labels = {OWNER_LABEL: stored["metadata"]["uid"]}
    try:
        return any(cluster.list(kind, stored["metadata"]["namespace"], labels) for kind in WORKLOADS)
    except RefusedError as error:
        if error.code != FORBIDDEN:
            raise
        return False


def _missing(objects: Sequence[Object], imagined: ClusterImagined) -> list[str]:
    """What pods name that neither the cluster has nor the plan makes; what may not be read may be there."""
    made = {(item["kind"], item["metadata"]["name"]) for item in objects}
    found = []
    for item in objects:
        pod = pods_of(item)
        for kind, name in mentions_of(pod.spec) if pod else ():
            key = kind, str(item["metadata"]["namespace"]) if READ_TYPES[kind].namespaced else "", name
            if (kind, name) not in made and imagined.get(*key) is None and key not in imagined.unread:
                found.append(f"{kind} {name} does not exist, and the pods need it")
    return found
