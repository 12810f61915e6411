"""Which namespaces there are to look at."""

from swiftlet.cli.reading.resourcekinds import OURS
from swiftlet.cli.reading.world import World
from swiftlet.cluster.errors import RefusedError


def namespaces(world: World) -> list[str] | None:
    """Those of the cluster, or of what a state folder holds; None: the reader may not list them.

    Raises ClusterError.
    """
    if world.folder is not None:
        ours = [item for kind in OURS if kind.namespaced for item in world.list(kind.name)]
        return sorted({item["metadata"]["namespace"] for item in ours})
    try:
        return [item["metadata"]["name"] for item in world.list("Namespace")]
    except RefusedError as error:
        if error.code != 403:
            raise
        return None
