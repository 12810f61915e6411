"""What documents would come to on a cluster, and what stands against it there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ruamel.yaml import YAML

from swiftlet.api.schema.defaulting import defaulted
from swiftlet.api.v1alpha1.computeprofile import ComputeProfile, ComputeProfileSpec
from swiftlet.cli.acting.imagining import FORBIDDEN, UNKNOWN_IMAGES, ClusterImagined, check, not_known, placed
from swiftlet.cli.acting.obstacles.around import Surroundings
from swiftlet.cli.acting.planning import Imagined, PlannedResource, plan_in
from swiftlet.cli.acting.standing import Standing, against, applied
from swiftlet.cluster.errors import RefusedError
from swiftlet.cluster.objects import ClusterObjects
from swiftlet.documents import Document
from swiftlet.documents.document import Key, key_of
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.kinds.observing.kueue import queue_of
from swiftlet.kinds.references.profiles import DEFAULT_PROFILE

Object = dict[str, Any]
PROFILE_OBJECT = "swiftlet-default-profile"
"""ConfigMap that the chart lets everybody read (helm/swiftlet/templates/computeprofile.yaml)."""
OPERATOR_NAMESPACE = "swiftlet-system"
NOT_SERVED = 404
"""Of a list: the cluster has no such kind."""


@dataclass(frozen=True)
class ClusterPlan:
    """Each document, in the order of the plan; those that nothing is planned for (ConfigMaps, ...) come first."""

    entries: tuple[tuple[Document, PlannedResource | None, Standing], ...]
    world: Imagined
    unknown: tuple[str, ...]
    """What could not be looked at, a line each."""

    @property
    def is_opposed(self) -> bool:
        """Whether anything is refused, or stands against anything."""
        return any(standing.against or (plan and plan.refusal) for _, plan, standing in self.entries)


def plan_on_cluster(
    documents: Sequence[Document], cluster: ClusterObjects, namespace: str, operator_namespace: str
) -> ClusterPlan:
    """The plan of documents in a namespace (of those that name none).

    Raises InvalidDocuments, and ClusterError for a namespace that is not there and a cluster that does not answer.
    """
    documents, imagined, unknown = placed(documents, namespace), ClusterImagined(cluster), list[str]()
    for one in sorted({document.key[1] for document in documents if document.key[1]}):
        cluster.check_namespace(one)
    check(documents, imagined, cluster)
    standings = {document.key: applied(document, cluster) for document in documents}
    abilities = _capabilities(cluster, imagined, operator_namespace, unknown)
    planned = plan_in(documents, imagined, abilities)
    around: dict[str, Surroundings] = {}
    entries: list[tuple[Document, PlannedResource | None, Standing]] = []
    by_key = {document.key: document for document in documents}
    for plan in planned:
        document = by_key.pop(key_of(plan.resource))
        place, (stored, standing) = document.key[1], standings[document.key]
        if place not in around:
            around[place] = _surroundings(cluster, place, planned, unknown)
        found = against(plan, stored, imagined, cluster, around[place])
        memory = around[place].gpu_memory(plan.objects)
        entries.append((document, plan, replace(standing, against=standing.against + found, gpu_memory=memory)))
    plain = [(document, None, standings[document.key][1]) for document in by_key.values()]
    unseen = [_taken(key, imagined) for key in imagined.unread]
    return ClusterPlan((*plain, *entries), imagined, tuple(dict.fromkeys([*unknown, *unseen])))


def _taken(key: Key, imagined: ClusterImagined) -> str:
    kind, _, name = key
    return f"{kind} {name} is taken as {'there' if imagined.get(*key) else 'absent'}: {imagined.unread[key]}"


def _capabilities(cluster: ClusterObjects, imagined: Imagined, namespace: str, unknown: list[str]) -> Capabilities:
    """What the operator can do, with its default profile, as the chart sets both."""
    url = f"http://swiftlet.{namespace}.svc:8080/progress"
    if imagined.get("ComputeProfile", None, DEFAULT_PROFILE) is not None:
        return Capabilities(progress_url=url)
    try:
        found = cluster.get("ConfigMap", namespace, PROFILE_OBJECT)
        why = f"there is no ConfigMap {PROFILE_OBJECT} in namespace {namespace}; --operator-namespace names another"
    except RefusedError as error:
        if error.code != FORBIDDEN:
            raise
        found, why = None, not_known(error)
    if found is None:
        unknown.append(f"images, storage and limits of what names no ComputeProfile are not known: {why}")
        return Capabilities(progress_url=url, default_profile=ComputeProfileSpec.model_validate(UNKNOWN_IMAGES))
    profile = YAML(typ="safe").load(found["data"]["profile.yaml"])
    return Capabilities(progress_url=url, default_profile=ComputeProfile.model_validate(defaulted(profile)).spec)


def _surroundings(
    cluster: ClusterObjects, namespace: str, planned: Sequence[PlannedResource], unknown: list[str]
) -> Surroundings:
    """Quotas, limits and nodes, and queues where anything is queued; with a line for each that may not be seen."""

    def seen(kind: str, of: str | None = namespace) -> list[Object] | None:
        try:
            return cluster.list(kind, of)
        except RefusedError as error:
            if error.code == FORBIDDEN:
                unknown.append(f"{kind}s are not looked at: {not_known(error)}")
                return None
            if error.code != NOT_SERVED:
                raise
            return []

    is_queued = any(queue_of(item) for plan in planned for item in plan.objects)
    queues = seen("LocalQueue") if is_queued else None
    shared = seen("ClusterQueue", None) if queues else None
    return Surroundings(seen("ResourceQuota") or (), seen("LimitRange") or (), seen("Node", None), queues, shared)
