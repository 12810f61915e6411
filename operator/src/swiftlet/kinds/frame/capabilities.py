"""What the engine that executes the plans can do."""

from dataclasses import dataclass, field

from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec


@dataclass(frozen=True)
class Capabilities:
    """Facts about the executing engine. The defaults are a cluster's."""

    host_paths: bool = False
    """Pods may mount paths of the machine, so documents may name local files."""
    max_replicas: int | None = None
    """Most pods of one ModelDeployment; None is no limit."""
    provisions_claims: bool = False
    """A PersistentVolumeClaim comes to be when a pod mounts it, so a missing one is no obstacle."""
    reads_secrets: bool = False
    """Secrets can be read, so a missing one is reported at once and not only by the pod that waits for it."""
    runs_containers: bool = True
    """Pods are containers on nodes that a scheduler chooses; otherwise they are processes of this machine."""
    extra_backends: bool = True
    """Attempts can be workloads of other kinds than Kubernetes' own, where such a kind is served."""
    shared_network: bool = False
    """Pods share one address, so the old pod of a deployment must go before the new one binds its port."""
    service_url: str = "http://{service}.{namespace}.svc:{port}/v1"
    """Where clients reach a served model; filled with service, namespace and port."""
    progress_url: str | None = None
    """Where pods post their progress, such as `http://swiftlet-operator.swiftlet:8080/progress`; None where the engine
    reads their progress files itself."""
    default_profile: ComputeProfileSpec = field(default_factory=ComputeProfileSpec)
    """Used where no ComputeProfile is named and none is called `default`."""
