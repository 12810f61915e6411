"""What a ComputeProfile says about pods beyond their resources: scratch space, metadata, spreading, and limits."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swiftlet.api.base import MOST_CHARACTERS, ApiModel, Positive, Rule
from swiftlet.api.names import LABEL_KEY_PATTERN, DeviceName, LabelKey, LabelValue, quoted
from swiftlet.api.v1alpha1.compute import Quantity, named_well

OWNED_PREFIXES = ("swiftlet.dev/", "app.kubernetes.io/", "batch.kubernetes.io/", "k8s.v1.cni.cncf.io/")
"""Keys of pods that the operator, or the controllers of Jobs, write; networks are `network.attachments`."""
OWNED_LABELS = ("controller-uid", "job-name", "pod-template-hash")


def _free_keys(field: str) -> Rule:
    """The keys of a map are well-formed and nobody else's."""
    prefixes = " && ".join(f"!x.startsWith('{prefix}')" for prefix in OWNED_PREFIXES)
    labels = ", ".join(f"'{label}'" for label in OWNED_LABELS)
    free = f"size(x) <= 317 && x.matches({quoted(LABEL_KEY_PATTERN)}) && {prefixes} && !(x in [{labels}])"
    return Rule(
        f"!has(self.{field}) || self.{field}.all(x, {free})",
        f"{field} has a key that is not name or domain/name, or that the operator or Kubernetes sets"
        f" ({', '.join((*OWNED_PREFIXES, *OWNED_LABELS))}); use another key",
        field,
    )


class PodMetadata(ApiModel):
    """Labels and annotations of every pod, and of its Job or Deployment; a resource may add its own."""

    rules: ClassVar[tuple[Rule, ...]] = (
        _free_keys("labels"),
        _free_keys("annotations"),
        Rule(
            "!has(self.annotations) || self.annotations.map(k, k.size() + self.annotations[k].size()).sum()"
            f" <= {MOST_CHARACTERS}",
            f"annotations may have {MOST_CHARACTERS} characters together, keys included",
            "annotations",
        ),
    )

    labels: Annotated[dict[str, LabelValue], Field(max_length=32)] = Field(
        default_factory=dict, description="Such as cost-center: research."
    )
    annotations: Annotated[dict[str, Annotated[str, Field(max_length=4096)]], Field(max_length=32)] = Field(
        default_factory=dict, description='Such as sidecar.istio.io/inject: "false".'
    )


class Spread(ApiModel):
    """Pods of one resource over zones, racks or nodes; as topologySpreadConstraints of a pod, for its own pods."""

    topology_key: LabelKey = Field(description="Label of nodes, such as topology.kubernetes.io/zone.")
    max_skew: Annotated[int, Field(ge=1, le=1000)] = Field(
        1, description="Most pods that one value may have more than another."
    )
    when_unsatisfiable: Literal["ScheduleAnyway", "DoNotSchedule"] = Field(
        "ScheduleAnyway", description="Whether a pod waits when it cannot be kept."
    )


class Scratch(ApiModel):
    """Bounds of what a pod writes to its node; the kubelet evicts a pod that writes more."""

    tmp_size: Quantity = Field("50Gi", description="Models from the hub and caches, in /tmp.")
    run_size: Quantity = Field("10Gi", description="The progress stream, in /swiftlet/run.")
    shared_memory_size: Quantity | None = Field(
        None,
        description="Shared memory, which counts as memory; half of the memory limit when absent, 8Gi without one. A "
        "server on GPUs takes 2Gi a GPU and 8Gi at least, within half of the memory limit.",
    )


class Limits(ApiModel):
    """The most that one resource may ask for; what is above is refused."""

    rules: ClassVar[tuple[Rule, ...]] = (named_well("resources"),)

    nodes: Positive | None = Field(None, description="`parallelism.nodes` of a FineTuneJob.")
    gpus: Annotated[int, Field(ge=0, le=64)] | None = Field(None, description="GPUs per pod.")
    replicas: Annotated[int, Field(ge=0, le=1000)] | None = Field(None, description="`replicas` of a ModelDeployment.")
    resources: Annotated[dict[str, Quantity], Field(max_length=16)] = Field(
        default_factory=dict,
        description="Per pod, by resource name; it is also the limit of pods that have none, as in a LimitRange.",
    )
    extended_resources: Annotated[list[DeviceName], Field(max_length=64)] | None = Field(
        None,
        description="Extended resources (domain/name) that `compute.resources` may name besides the GPUs; any when "
        "absent.",
    )


class VllmLimits(ApiModel):
    """What documents may ask of vLLM."""

    allowed_args: Annotated[
        list[Annotated[str, Field(pattern="^--[a-z0-9][a-z0-9-]*$", max_length=64)]], Field(max_length=256)
    ] = Field(
        default_factory=list,
        description="Arguments that `spec.engine.args` of a ModelDeployment may hold besides those that are always "
        "allowed, as `--chat-template`. What follows from the document and what loads program code stays refused.",
    )


class Engines(ApiModel):
    """What documents may ask of serving engines."""

    vllm: VllmLimits = Field(default_factory=VllmLimits)

    def allowed_args(self, engine: str) -> Sequence[str]:
        """What an engine's arguments are widened by."""
        limits = getattr(self, engine, None)
        return limits.allowed_args if limits else ()
