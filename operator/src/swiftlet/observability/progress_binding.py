"""Which resource a pod may report about: the one that controls it through its Job or ReplicaSet, and no other."""

from typing import Any, Protocol

from swiftlet.kinds import RECONCILERS
from swiftlet.kinds.owning.owners import root_of
from swiftlet.observability.token_claims import PodIdentity


class Objects(Protocol):
    """The operator's cache of the cluster."""

    def get(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        """One object, or None when it is not there or not seen yet."""


class NotAllowedError(Exception):
    """The pod may not report this; the message says why."""


def resource_of(identity: PodIdentity, claimed_uid: str | None, objects: Objects) -> str:
    """The uid of the resource that the pod belongs to. `claimed_uid`: the one that the request names, if it does.

    Labels are not believed: whoever may create pods could write any. Raises NotAllowedError.
    """
    pod = objects.get("Pod", identity.namespace, identity.pod)
    who = f"pod {identity.namespace}/{identity.pod}"
    if pod is None or pod["metadata"].get("uid") != identity.pod_uid:
        raise NotAllowedError(f"{who} is not one of the operator's pods")
    owner = root_of(pod, objects.get)
    if owner is None or owner["kind"] not in RECONCILERS:
        raise NotAllowedError(f"{who} belongs to no resource of its namespace")
    uid = str(owner["metadata"]["uid"])
    if claimed_uid is not None and claimed_uid != uid:
        raise NotAllowedError(f"{who} belongs to another resource than {claimed_uid}; it may report for its own only")
    return uid
