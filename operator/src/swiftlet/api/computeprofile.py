"""ComputeProfile: what the platform team decides once for all runs of a cluster."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swiftlet.api.base import ApiModel, Column, Resource
from swiftlet.api.compute import ResourceRequirements


class Images(ApiModel):
    """Container images."""

    trainer: Annotated[str, Field(min_length=1, max_length=512)] = Field(
        "swiftlet/trainer:0.1.0", description="Trains and evaluates."
    )
    server: Annotated[str, Field(min_length=1, max_length=512)] = Field(
        "swiftlet/trainer-vllm:0.1.0", description="Serves."
    )


class Storage(ApiModel):
    """PersistentVolumeClaims, in the namespace of the resources that use them."""

    artifacts_claim: Annotated[str, Field(min_length=1, max_length=253)] = Field(
        "swiftlet-artifacts", description="Checkpoints, artifacts and reports; ReadWriteMany for several nodes."
    )
    models_claim: Annotated[str, Field(min_length=1, max_length=253)] | None = Field(
        None, description="Mirror of hf:// models, one folder `org/name` each; without it they come from the hub."
    )


class Toleration(ApiModel):
    """As in a Kubernetes pod."""

    key: Annotated[str, Field(max_length=317)] | None = Field(
        None, description="Key of the taint; every taint when absent and operator is Exists."
    )
    operator: Literal["Exists", "Equal"] | None = Field(None, description="Equal when absent.")
    value: Annotated[str, Field(max_length=63)] | None = Field(None, description="Value of the taint, for Equal.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        None, description="Effect of the taint; every effect when absent."
    )


class ComputeProfileSpec(ApiModel):
    """Defaults for pods."""

    images: Images = Field(default_factory=Images, description="Container images.")
    gpu_resource_name: Annotated[str, Field(min_length=1, max_length=253)] = Field(
        "nvidia.com/gpu", description="Resource that `compute.gpus` counts."
    )
    node_selector: Annotated[dict[str, Annotated[str, Field(max_length=63)]], Field(max_length=32)] = Field(
        default_factory=dict, description="Labels that nodes must have."
    )
    tolerations: Annotated[list[Toleration], Field(max_length=32)] = Field(
        default_factory=list, description="Taints of nodes that pods put up with."
    )
    storage: Storage = Field(default_factory=Storage, description="Volumes that pods mount.")
    resources: ResourceRequirements = Field(
        default_factory=ResourceRequirements, description="Requests and limits of pods that set none."
    )


class ComputeProfile(Resource):
    """Images, GPUs, storage and placement, written by the platform team."""

    kind_name: ClassVar[str] = "ComputeProfile"
    plural: ClassVar[str] = "computeprofiles"
    short_name: ClassVar[str] = "cprof"
    scope: ClassVar[str] = "Cluster"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("GPU", ".spec.gpuResourceName"),
        Column("Artifacts", ".spec.storage.artifactsClaim"),
        Column("Age", ".metadata.creationTimestamp", "date"),
    )

    kind: Literal["ComputeProfile"] = "ComputeProfile"
    spec: ComputeProfileSpec = Field(default_factory=ComputeProfileSpec)
