"""ComputeProfile: what the platform team decides once for all runs of a cluster."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swiftlet.api.base import ApiModel, Column, Resource, Rule
from swiftlet.api.names import LABEL_KEY_PATTERN, DeviceName, ImageName, LabelKey, LabelValue, ObjectName, quoted
from swiftlet.api.v1alpha1.backends import BackendName
from swiftlet.api.v1alpha1.compute import Quantity, ResourceRequirements
from swiftlet.api.v1alpha1.object_storage import S3, Registries
from swiftlet.api.v1alpha1.profile_environment import CaBundle, Hub, Proxy, Variable
from swiftlet.api.v1alpha1.profile_pods import Engines, Limits, PodMetadata, Scratch, Spread

ATTACHMENT = r"^([a-z0-9-]+/)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?(@[A-Za-z0-9_.-]{1,15})?$"
NAMESPACE_PATTERN = r"^[a-z0-9*]([-a-z0-9*]*[a-z0-9*])?$"


class PullSecret(ApiModel):
    """A Secret of type kubernetes.io/dockerconfigjson."""

    name: ObjectName = Field(description="Its name, in the namespace of the resource.")


class Images(ApiModel):
    """Container images. There is no default: a cluster takes them from a registry that is yours."""

    trainer: ImageName | None = Field(
        None, description="Trains and evaluates; needed on a cluster. Built with VARIANT=cuda where pods have GPUs."
    )
    server: ImageName | None = Field(
        None, description="Serves; needed on a cluster. Built with VARIANT=cuda where pods have GPUs."
    )
    pull_secrets: Annotated[list[PullSecret], Field(max_length=16)] = Field(
        default_factory=list, description="Credentials of private registries; imagePullSecrets of a pod."
    )
    pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = Field(
        None, description="Kubernetes' own choice when absent: IfNotPresent, and Always for the tag latest."
    )


class Storage(ApiModel):
    """PersistentVolumeClaims in the namespace of the resources that use them, and object storage."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.artifactsSize) || has(self.artifactsStorageClass)",
            "artifactsSize is the size of a claim that is made; set artifactsStorageClass too, or remove it",
            "artifactsSize",
        ),
        Rule(
            "!has(self.artifactsSize) || quantity(string(self.artifactsSize)).compareTo(quantity('0')) > 0",
            "artifactsSize must be above 0",
            "artifactsSize",
        ),
    )

    artifacts_claim: ObjectName = Field(
        "swiftlet-artifacts", description="Checkpoints, artifacts and reports; ReadWriteMany for several nodes."
    )
    artifacts_storage_class: ObjectName | None = Field(
        None,
        description="StorageClass with ReadWriteMany: a missing artifacts claim is made of it, and stays when the "
        "resource that needed it goes. Without it somebody has to create the claim.",
    )
    artifacts_size: Quantity | None = Field(None, description="Size of a claim that is made; 100Gi when absent.")
    models_claim: ObjectName | None = Field(
        None, description="Mirror of hf:// models, one folder `org/name` each; without it they come from the hub."
    )
    s3: S3 | None = Field(None, description="Object storage; Amazon's, by the pod's identity, when absent.")
    oci: Registries | None = Field(None, description="Registries of artifacts; TLS and no credentials when absent.")


class Toleration(ApiModel):
    """As in a Kubernetes pod."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.value) || self.value == '' || !has(self.operator) || self.operator != 'Exists'",
            "value cannot be combined with operator Exists, which fits every value: remove one of the two",
            "value",
        ),
        Rule(
            "has(self.key) || (has(self.operator) && self.operator == 'Exists')",
            "set key, or operator: Exists, which alone fits every taint",
        ),
    )

    key: LabelKey | None = Field(None, description="Key of the taint; every taint when absent and operator is Exists.")
    operator: Literal["Exists", "Equal"] | None = Field(None, description="Equal when absent.")
    value: LabelValue | None = Field(None, description="Value of the taint, for Equal.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        None, description="Effect of the taint; every effect when absent."
    )


class NcclVariable(ApiModel):
    """A setting of NCCL."""

    name: Annotated[str, Field(pattern="^NCCL_[A-Z0-9_]+$", max_length=128)] = Field(
        description="Such as NCCL_IB_HCA; NCCL_SOCKET_IFNAME is what socketInterface sets."
    )
    value: Annotated[str, Field(max_length=1024)] = Field(description="Its value.")


class Rdma(ApiModel):
    """RDMA devices (InfiniBand, RoCE, EFA) that a device plugin hands out."""

    resource_name: DeviceName = Field(description="Extended resource, such as rdma/hca or vpc.amazonaws.com/efa.")
    count: Annotated[int, Field(ge=1, le=64)] = Field(1, description="Devices per pod.")


class Network(ApiModel):
    """How the pods of one training run reach each other."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.socketInterface) || !self.ncclEnv.exists(x, x.name == 'NCCL_SOCKET_IFNAME')",
            "NCCL_SOCKET_IFNAME is set by socketInterface; set one of the two",
            "ncclEnv",
        ),
    )

    socket_interface: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,15}$", max_length=15)] | None = Field(
        None,
        description="Interface for the sockets of NCCL and gloo (NCCL_SOCKET_IFNAME, GLOO_SOCKET_IFNAME); each finds "
        "one by itself when absent.",
    )
    nccl_env: Annotated[list[NcclVariable], Field(max_length=64)] = Field(
        default_factory=list, description="Settings of NCCL for pods with GPUs."
    )
    rdma: Rdma | None = Field(None, description="RDMA devices for each pod of a run of several nodes.")
    attachments: Annotated[list[Annotated[str, Field(pattern=ATTACHMENT, max_length=512)]], Field(max_length=16)] = (
        Field(
            default_factory=list,
            description="NetworkAttachmentDefinitions `[namespace/]name[@interface]` that Multus adds to the pods.",
        )
    )


def default_resources() -> ResourceRequirements:
    """Little enough for any node. Quotas, queues and the scheduler count requests, and miss a pod without any."""
    return ResourceRequirements(requests={"cpu": "500m", "memory": "1Gi"})


class ComputeProfileSpec(ApiModel):
    """Defaults for pods, and what they may ask for."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.nodeSelector)"
            f" || self.nodeSelector.all(k, k.size() <= 317 && k.matches({quoted(LABEL_KEY_PATTERN)}))",
            "nodeSelector has keys of labels: name or domain/name, the name of up to 63 letters, digits, -, _ and .",
            "nodeSelector",
        ),
        Rule(
            "!has(self.hub) || !has(self.storage.modelsClaim)",
            "hub is not asked for anything when storage.modelsClaim names a mirror; set one of the two",
            "hub",
        ),
        Rule(
            "!has(self.env) || self.env.all(x, self.env.exists_one(g, g.name == x.name))",
            "env sets a variable twice; keep one of the two",
            "env",
        ),
    )

    allowed_namespaces: (
        Annotated[list[Annotated[str, Field(pattern=NAMESPACE_PATTERN, max_length=63)]], Field(max_length=256)] | None
    ) = Field(
        None, description="Namespaces whose resources may use the profile, `*` for any characters; all when absent."
    )
    images: Images = Field(default_factory=Images, description="Container images.")
    gpu_resource_name: DeviceName = Field("nvidia.com/gpu", description="Resource that `compute.gpus` counts.")
    node_selector: Annotated[dict[str, LabelValue], Field(max_length=32)] = Field(
        default_factory=dict, description="Labels that nodes must have."
    )
    tolerations: Annotated[list[Toleration], Field(max_length=32)] = Field(
        default_factory=list, description="Taints of nodes that pods put up with."
    )
    storage: Storage = Field(default_factory=Storage, description="Volumes that pods mount.")
    network: Network | None = Field(
        None,
        description="Fabric for training runs of several nodes, and for runs and servers on several GPUs; not used "
        "where pods share the network of one machine.",
    )
    backend: BackendName | None = Field(
        None,
        description="What the attempts of FineTuneJobs are made as: Jobs, or JobSets where JobSet is installed; a"
        " document that wants another one is refused. EvalRuns, which have one pod, are Jobs always.",
    )
    network_policy: Literal["Enabled", "Disabled"] = Field(
        "Enabled",
        description="NetworkPolicies: a run is reached by its own pods only, a server by whom `api.allowFrom` names.",
    )
    resources: ResourceRequirements = Field(
        default_factory=default_resources,
        description="Requests and limits of every resource name for which a document sets neither.",
    )
    limits: Limits = Field(default_factory=Limits, description="The most that one resource may ask for.")
    engines: Engines = Field(default_factory=Engines, description="What documents may ask of serving engines.")
    scratch: Scratch = Field(default_factory=Scratch, description="Bounds of what a pod writes to its node.")
    env: Annotated[list[Variable], Field(max_length=64)] = Field(
        default_factory=list, description="Variables of every pod."
    )
    proxy: Proxy | None = Field(None, description="The way out of the cluster.")
    ca_bundle: CaBundle | None = Field(None, description="Authorities that pods trust; needs a cluster.")
    hub: Hub | None = Field(None, description="Where `hf://` models come from when there is no mirror.")
    pod_metadata: PodMetadata = Field(
        default_factory=PodMetadata, description="Labels and annotations of Jobs, Deployments and their pods."
    )
    topology_spread: Annotated[list[Spread], Field(max_length=8)] = Field(
        default_factory=list, description="How the pods of one resource are spread; not used on one machine."
    )
    priority_class_name: ObjectName | None = Field(None, description="PriorityClass of pods; needs a cluster.")
    scheduler_name: ObjectName | None = Field(None, description="Scheduler of pods; needs a cluster.")
    runtime_class_name: ObjectName | None = Field(
        None, description="RuntimeClass of pods, such as nvidia or gvisor; needs a cluster."
    )
    service_account_name: ObjectName | None = Field(
        None,
        description="ServiceAccount of pods, in the resource's namespace; its token is not mounted. Needs a cluster.",
    )
    host_users: bool | None = Field(
        None, description="false runs pods in a user namespace, where nodes can do that; needs a cluster."
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
