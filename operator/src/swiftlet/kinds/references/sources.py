"""From a document's URI to a place in the pod: the volume to mount and the path below it."""

import re
from dataclasses import dataclass

from swiftlet.api.v1alpha1.computeprofile import Storage
from swiftlet.api.v1alpha1.object_storage import S3
from swiftlet.api.v1alpha1.uris import LEAVES, LEAVES_PATTERN, parse_uri, scheme_of
from swiftlet.kinds.conditions.verdict import Verdict
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.kinds.frame.reading import Reader
from swiftlet.kinds.pods import mounts
from swiftlet.storage.mount import Mount
from swiftlet.storage.pvc import claim_obstacle
from swiftlet.storage.registry import SCHEMES
from swiftlet.storage.scheme import Asked, Located, Slot, Volumes
from swiftlet.wire.documents import DATA_ROOT, ResolvedModel

SOURCES_ROOT = "/swiftlet/sources"
"""Models and adapters that lie neither in the mirror nor on the artifacts volume, one folder each."""


@dataclass(frozen=True)
class LocatedModel:
    """A model and the volumes that it needs."""

    model: ResolvedModel
    mounts: tuple[Mount, ...] = ()


@dataclass(frozen=True)
class LocatedFile:
    """A data file and the volumes that it needs."""

    path: str
    mounts: tuple[Mount, ...]


def locate_model(text: str, slot: str, storage: Storage) -> LocatedModel:
    """Where the model or adapter `text` lies; `slot` names its volume when it needs one of its own."""
    found = _located(text, Slot(slot, f"{SOURCES_ROOT}/{slot}", is_model=True), storage)
    if found:
        return LocatedModel(ResolvedModel(uri=text, path=found.path), (found.mount,))
    uri = parse_uri(text)
    return LocatedModel(ResolvedModel(uri=text, repo_id=scheme_of(uri).hub_name(uri), revision=uri.revision))


def locate_file(text: str, index: int, storage: Storage) -> LocatedFile:
    """Where the data file `text` lies; its ending is kept.

    Raises ValueError for what a pod would have to fetch, such as hub data without a mirror; `source_verdict` refuses
    those before.
    """
    found = _located(text, Slot(f"data-{index}", f"{DATA_ROOT}/{index}", is_model=False), storage)
    if found is None:
        raise ValueError(f"{text} lies on no volume: it needs a mirror")
    return LocatedFile(found.path, (found.mount,))


def _located(text: str, slot: Slot, storage: Storage) -> Located | None:
    mirror = mounts.models(storage.models_claim) if storage.models_claim else None
    artifacts, bound = mounts.artifacts(storage.artifacts_claim), (storage.s3 or S3()).most_fetched
    volumes = Volumes(storage.artifacts_claim, artifacts, mirror, bound)
    uri = parse_uri(text)
    return scheme_of(uri).locate(uri, slot, volumes)


def source_verdict(
    field: str, text: str, namespace: str, storage: Storage, reader: Reader, capabilities: Capabilities, on_disk: bool
) -> Verdict | None:
    """What stands in the way of using `text`, blamed on `field`.

    `on_disk`: it must be a path in the pod (data files, adapters), while a model may come from the hub by its name.
    """
    uri = parse_uri(text)
    if re.search(LEAVES_PATTERN, text):  # of an artifact, or stored when no rule of the CRDs said so
        return Verdict("InvalidUri", f"{field} {text}: {LEAVES}")
    if uri.scheme not in SCHEMES:  # stored by a release that knows it
        return Verdict("InvalidUri", f"{field} {text}: {uri.scheme} is none of {', '.join(SCHEMES)}")
    asked = Asked(field, text, uri, on_disk, namespace, storage, reader, capabilities)
    obstacle = scheme_of(uri).obstacle(asked)
    return Verdict(*obstacle) if obstacle else None


def claim_verdict(
    field: str, claim_name: str, namespace: str, reader: Reader, capabilities: Capabilities
) -> Verdict | None:
    """An obstacle when a claim is missing and does not come to be by itself."""
    obstacle = claim_obstacle(field, claim_name, namespace, reader, capabilities)
    return Verdict(*obstacle) if obstacle else None
