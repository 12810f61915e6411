"""How pods report their progress to the operator: where to, and the token that says who they are."""

from typing import Any

from swiftlet.api.base import Resource
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.kinds.owning.ownership import uid_of
from swiftlet.storage.mount import Mount
from swiftlet.wire.messages import PROGRESS_AUDIENCE

TOKEN_FOLDER = "/swiftlet/identity"  # noqa: S105
TOKEN_SECONDS = 3600
"""The kubelet replaces the token when four fifths of this have passed."""


def report_env(resource: Resource, capabilities: Capabilities) -> list[dict[str, Any]]:
    """Variables that progress is posted by: ours, and those of transformers' KubeflowCallback, so that any script with
    a Trainer reports too. The address names the resource, so that a report for another one is refused and not mixed up.

    Source: transformers 5.17, integrations/integration_utils.py.
    """
    if capabilities.progress_url is None:
        return []
    url, token = f"{capabilities.progress_url}/{uid_of(resource)}", f"{TOKEN_FOLDER}/token"
    values = {
        "SWIFTLET_PROGRESS_URL": url,
        "SWIFTLET_PROGRESS_TOKEN": token,
        "KUBEFLOW_TRAINER_SERVER_URL": url,
        "KUBEFLOW_TRAINER_SERVER_TOKEN": token,
    }
    return [{"name": name, "value": value} for name, value in values.items()]


def report_mounts(capabilities: Capabilities) -> tuple[Mount, ...]:
    """The projected token; its audience is the operator alone, so it opens nothing else."""
    if capabilities.progress_url is None:
        return ()
    token = {"path": "token", "audience": PROGRESS_AUDIENCE, "expirationSeconds": TOKEN_SECONDS}
    return (Mount("identity", {"projected": {"sources": [{"serviceAccountToken": token}]}}, TOKEN_FOLDER),)
