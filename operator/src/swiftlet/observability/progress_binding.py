"""Which resource a pod may report about: the one in its own label, and no other."""

from typing import Any, Protocol

from swiftlet.kinds.ownership import KIND_LABEL, NAME_LABEL
from swiftlet.kinds.reading import OWNER_LABEL
from swiftlet.observability.authentication import PodIdentity


class Objects(Protocol):
    """The operator's cache of the cluster."""

    def get(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        """One object, or None when it is not there or not seen yet."""


class NotAllowedError(Exception):
    """The pod may not report this; the message says why."""


def resource_of(identity: PodIdentity, claimed_uid: str | None, objects: Objects) -> str:
    """The uid of the resource that the pod belongs to. `claimed_uid`: the one that the request names, if it does.

    The label alone is not believed: whoever may create pods in a namespace could write any uid, so a resource of that
    kind, name and uid must be in the pod's own namespace. Raises NotAllowedError.
    """
    pod = objects.get("Pod", identity.namespace, identity.pod)
    who = f"pod {identity.namespace}/{identity.pod}"
    if pod is None or pod["metadata"].get("uid") != identity.pod_uid:
        raise NotAllowedError(f"{who} is not one of the operator's pods")
    labels = pod["metadata"].get("labels") or {}
    uid = str(labels.get(OWNER_LABEL) or "")
    owner = objects.get(str(labels.get(KIND_LABEL)), identity.namespace, str(labels.get(NAME_LABEL)))
    if not uid or owner is None or owner["metadata"].get("uid") != uid:
        raise NotAllowedError(f"{who} belongs to no resource of its namespace")
    if claimed_uid is not None and claimed_uid != uid:
        raise NotAllowedError(f"{who} belongs to another resource than {claimed_uid}; it may report for its own only")
    return uid
