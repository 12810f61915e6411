"""What is asked of a URI scheme."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

from swiftlet.storage.mount import Mount
from swiftlet.storage.uri import Uri


class Form(NamedTuple):
    """How a URI goes on after its authority: as a pattern (RE2), and the whole as people are told to write it."""

    pattern: str
    written: str


class Slot(NamedTuple):
    """The place in a pod that a model or file may take: the name of its volume, and the folder of its mount."""

    name: str
    folder: str
    is_model: bool
    """A model's or adapter's folder; else one file, whose ending has to stay."""


class Volumes(NamedTuple):
    """The profile's own volumes, as pods mount them."""

    artifacts_claim: str
    artifacts: Mount
    mirror: Mount | None
    """Models of the hub, one folder each."""
    most_fetched: str
    """Quantity of bytes of one model or file that pods fetch."""


class Located(NamedTuple):
    """The path in the pod, and the volume that it is on."""

    path: str
    mount: Mount


class Obstacle(NamedTuple):
    """Why a URI cannot be used; see `kinds.verdict.Verdict`."""

    reason: str
    message: str
    waits: bool = False


class Objects(Protocol):
    """Objects that can be looked up; see `kinds.reading.Reader`."""

    def get(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None: ...


class Abilities(Protocol):
    """Of whatever runs the pods; see `kinds.capabilities.Capabilities`."""

    @property
    def host_paths(self) -> bool: ...
    @property
    def provisions_claims(self) -> bool: ...


class ObjectStorage(Protocol):
    """See `api.object_storage.S3`."""

    @property
    def endpoint(self) -> str | None: ...
    @property
    def region(self) -> str | None: ...
    @property
    def secret_name(self) -> str | None: ...


class Registries(Protocol):
    """See `api.object_storage.Registries`."""

    @property
    def secret_name(self) -> str | None: ...
    @property
    def plain_http(self) -> bool: ...


class Claims(Protocol):
    """The profile's claims and object storage; see `api.computeprofile.Storage`."""

    @property
    def artifacts_claim(self) -> str: ...
    @property
    def models_claim(self) -> str | None: ...
    @property
    def s3(self) -> ObjectStorage | None: ...
    @property
    def oci(self) -> Registries | None: ...


@dataclass(frozen=True)
class Asked:
    """A URI of a resource, and what can be known around it."""

    field: str
    """What is blamed."""
    text: str
    uri: Uri
    on_disk: bool
    """It must be a path in the pod (data files, adapters), while a model may be fetched by its name."""
    namespace: str
    claims: Claims
    objects: Objects
    abilities: Abilities


class Scheme:
    """A URI scheme. What is not overridden are the answers of one that names no object, lies on no volume, and is
    fetched by the pod."""

    name: ClassVar[str] = ""
    authority: ClassVar[str | None] = None
    """Pattern (RE2) of what stands after `://`; None: the name of a Kubernetes object."""
    data: ClassVar[Form | None] = None
    """Of data files; None: it has none."""
    model: ClassVar[Form | None] = None
    """Of models and adapters; None: it has none."""
    artifact: ClassVar[Form | None] = None
    """Of places that a run writes its artifact to; None: it has none."""
    checkpoint: ClassVar[Form | None] = None
    """Of places that a run keeps copies of its checkpoints in; None: it has none."""
    attaches: ClassVar[bool] = False
    """Results can be attached to what it names."""
    object: ClassVar[tuple[str, str] | None] = None
    """apiVersion and kind of the object that the authority names."""
    is_keyed: ClassVar[bool] = False
    """The path is a key of that object."""
    is_local: ClassVar[bool] = False
    """It names a path of the machine that reads the document."""
    is_mirrored: ClassVar[bool] = False
    """A claim may hold copies, one folder for each authority and revision."""

    def split(self, rest: str) -> Uri:
        """Take apart what stands after `://`."""
        authority, _, path = rest.partition("/")
        return Uri(self.name, authority, path)

    def hub_name(self, uri: Uri) -> str | None:
        """The name by which other programs find it on the Hugging Face hub."""
        return None

    def on_claim(self, uri: Uri, claims: Claims) -> tuple[str, str] | None:
        """Claim and path in it."""
        return None

    def locate(self, uri: Uri, slot: Slot, volumes: Volumes) -> Located | None:
        """Where a pod has it; None: the pod fetches it by its name when it needs it."""
        return None

    def written(self, uri: Uri, run: str, part: str) -> str:
        """URI that a run's `part` (its artifact, its checkpoints) is written to. run: a name that no other run has."""
        raise NotImplementedError(f"{self.name}: nothing is written there")

    def environment(self, claims: Claims) -> list[dict[str, Any]]:
        """Variables of the container that fetches or writes it."""
        return []

    def obstacle(self, asked: Asked) -> Obstacle | None:
        """What stands in the way of using it."""
        return None
