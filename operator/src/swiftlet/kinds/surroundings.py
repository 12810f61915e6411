"""What every planner starts from: who the resource is, its profile, and how to look things up."""

from dataclasses import dataclass
from typing import Any

from swiftlet.api.base import Resource
from swiftlet.api.v1alpha1.compute import Compute
from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec, Storage
from swiftlet.kinds.conditions.verdict import Verdict, combine
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.kinds.frame.reading import Reader
from swiftlet.kinds.owning.ownership import namespace_of
from swiftlet.kinds.references.claims import artifacts_claim
from swiftlet.kinds.references.limits import limit_verdict
from swiftlet.kinds.references.profile_policies import image_verdict, profile_verdict
from swiftlet.kinds.references.profiles import devices_verdict, resolve_profile
from swiftlet.kinds.references.sources import claim_verdict, source_verdict


@dataclass(frozen=True)
class Surroundings:
    """The profile of one resource and the state around it."""

    namespace: str
    profile_name: str
    """What people know the profile by."""
    profile: ComputeProfileSpec
    profile_verdict: Verdict | None
    reader: Reader
    capabilities: Capabilities

    @property
    def storage(self) -> Storage:
        return self.profile.storage

    def model(self, field: str, uri: str) -> Verdict | None:
        """What stands in the way of loading a model."""
        return source_verdict(field, uri, self.namespace, self.storage, self.reader, self.capabilities, on_disk=False)

    def file(self, field: str, uri: str) -> Verdict | None:
        """What stands in the way of reading a data file or an adapter."""
        return source_verdict(field, uri, self.namespace, self.storage, self.reader, self.capabilities, on_disk=True)

    def image(self, name: str) -> Verdict | None:
        """What stands in the way of starting the image `trainer` or `server`."""
        return image_verdict(self.profile_name, name, self.profile, self.capabilities)

    def limits(self, compute: Compute, nodes: int = 1, replicas: int = 0) -> Verdict | None:
        """What is asked for beyond the profile's limits."""
        return limit_verdict(self.profile_name, self.profile, compute, nodes, replicas)

    def volumes(self, artifacts: bool = True) -> list[Verdict | None]:
        """What stands in the way of mounting the profile's own claims. `artifacts`: pods write some."""
        is_made = not artifacts or self.storage.artifacts_storage_class is not None
        claims = {
            "storage.artifactsClaim": None if is_made else self.storage.artifacts_claim,
            "storage.modelsClaim": self.storage.models_claim,
        }
        return [
            claim_verdict(f"ComputeProfile {field} {name}", name, self.namespace, self.reader, self.capabilities)
            for field, name in claims.items()
            if name
        ]

    def missing_claims(self) -> list[dict[str, Any]]:
        """The artifacts claim, where it is missing and the profile says of which class to make it."""
        is_made = self.storage.artifacts_storage_class is not None and not self.capabilities.provisions_claims
        name = self.storage.artifacts_claim
        if not is_made or self.reader.get("PersistentVolumeClaim", self.namespace, name) is not None:
            return []
        return [artifacts_claim(self.storage, self.namespace)]


def look_around(resource: Resource, compute: Compute, reader: Reader, capabilities: Capabilities) -> Surroundings:
    """The surroundings of a resource."""
    namespace, found = namespace_of(resource), resolve_profile(compute, reader, capabilities)
    verdicts = profile_verdict(found, namespace, reader, capabilities), devices_verdict(found.name, compute, found.spec)
    return Surroundings(namespace, found.name, found.spec, combine(verdicts), reader, capabilities)
