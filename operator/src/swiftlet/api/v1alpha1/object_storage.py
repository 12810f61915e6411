"""Object storage that a ComputeProfile knows."""

from typing import Annotated

from pydantic import Field

from swiftlet.api.base import ApiModel
from swiftlet.api.names import ObjectName
from swiftlet.api.v1alpha1.compute import Quantity
from swiftlet.api.v1alpha1.profile_environment import URL


class S3(ApiModel):
    """Where `s3://` models and data are fetched from, and artifacts and checkpoints written to, by containers of a pod
    that do nothing else."""

    endpoint: Annotated[str, Field(pattern=URL, max_length=1024)] | None = Field(
        None, description="Address of the storage, whose buckets are paths of it; Amazon's when absent."
    )
    region: Annotated[str, Field(pattern="^[a-z0-9-]+$", max_length=63)] | None = Field(
        None, description="Region that requests are signed for; us-east-1 when absent."
    )
    secret_name: ObjectName | None = Field(
        None,
        description="Secret in the resource's namespace with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, where there"
        " is one, AWS_SESSION_TOKEN; only the containers that fetch and write have them. Without it the pod's identity"
        " is used.",
    )
    most_fetched: Quantity = Field(
        "200Gi",
        description="The largest model or data file, whatever it is fetched from; it is kept on the node's disk while"
        " the pod is there.",
    )


class Registries(ApiModel):
    """Registries of containers that `oci://` artifacts are fetched from and written to, by containers of a pod that do
    nothing else."""

    secret_name: ObjectName | None = Field(
        None,
        description="Secret of type kubernetes.io/dockerconfigjson in the resource's namespace, with the credentials of"
        " each registry; only the containers that fetch and write have it. Without it nobody logs in.",
    )
    plain_http: bool = Field(False, description="Registries speak HTTP without TLS, such as one on a test bed.")
