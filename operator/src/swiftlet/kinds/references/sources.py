"""From a document's URI to a place in the pod: the volume to mount and the path below it."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from swiftlet.api.computeprofile import Storage
from swiftlet.api.uris import LEAVES, LEAVES_PATTERN, Uri, parse_uri
from swiftlet.kinds.conditions.verdict import Verdict
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.kinds.frame.reading import Reader
from swiftlet.kinds.pods import mounts
from swiftlet.kinds.pods.mounts import Mount
from swiftlet.wire.documents import ARTIFACTS_ROOT, DATA_ROOT, MODELS_ROOT, ResolvedModel

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


def _mirror_folder(uri: Uri) -> str:
    return f"{MODELS_ROOT}/{uri.authority}" + (f"@{uri.revision}" if uri.revision else "")


def locate_model(text: str, slot: str, storage: Storage) -> LocatedModel:
    """Where the model or adapter `text` lies; `slot` names its volume when it needs one of its own."""
    uri = parse_uri(text)
    if uri.scheme == "hf" and storage.models_claim:
        return LocatedModel(ResolvedModel(uri=text, path=_mirror_folder(uri)), (mounts.models(storage.models_claim),))
    if uri.scheme == "hf":
        return LocatedModel(ResolvedModel(uri=text, repo_id=uri.authority, revision=uri.revision))
    if uri.scheme == "pvc" and uri.authority == storage.artifacts_claim:
        path = f"{ARTIFACTS_ROOT}/{uri.path}"
        return LocatedModel(ResolvedModel(uri=text, path=path), (mounts.artifacts(uri.authority),))
    folder = f"{SOURCES_ROOT}/{slot}"
    if uri.scheme == "pvc":
        path = f"{folder}/{uri.path}"
        return LocatedModel(ResolvedModel(uri=text, path=path), (mounts.claim(slot, uri.authority, folder),))
    host = Mount(slot, {"hostPath": {"path": uri.path, "type": "Directory"}}, folder)
    return LocatedModel(ResolvedModel(uri=text, path=folder), (host,))


def locate_file(text: str, index: int, storage: Storage) -> LocatedFile:
    """Where the data file `text` lies. Only the named key of a ConfigMap is mounted; the file's ending is kept.

    Raises ValueError for hub data without a mirror; `source_verdict` refuses those before.
    """
    uri = parse_uri(text)
    name, folder = f"data-{index}", f"{DATA_ROOT}/{index}"
    if uri.scheme == "configmap":
        source = {"configMap": {"name": uri.authority, "items": [{"key": uri.path, "path": uri.path}]}}
        return LocatedFile(f"{folder}/{uri.path}", (Mount(name, source, folder),))
    if uri.scheme == "pvc":
        return LocatedFile(f"{folder}/{uri.path}", (mounts.claim(name, uri.authority, folder),))
    if uri.scheme == "hf":
        if not storage.models_claim:
            raise ValueError(f"{text} needs a mirror")
        return LocatedFile(f"{_mirror_folder(uri)}/{uri.path}", (mounts.models(storage.models_claim),))
    path = f"{folder}/{PurePosixPath(uri.path).name}"
    return LocatedFile(path, (Mount(name, {"hostPath": {"path": uri.path, "type": "File"}}, path),))


def source_verdict(
    field: str, text: str, namespace: str, storage: Storage, reader: Reader, capabilities: Capabilities, on_disk: bool
) -> Verdict | None:
    """What stands in the way of using `text`, blamed on `field`.

    `on_disk`: it must be a path in the pod (data files, adapters), while a model may come from the hub by its name.
    """
    uri = parse_uri(text)
    if re.search(LEAVES_PATTERN, text):  # of an artifact, or stored when no rule of the CRDs said so
        return Verdict("InvalidUri", f"{field} {text}: {LEAVES}")
    if uri.scheme == "file":
        return _local_verdict(field, text, uri, capabilities)
    if uri.scheme == "configmap":
        return _configmap_verdict(field, text, uri, namespace, reader)
    if uri.scheme == "pvc":
        return claim_verdict(field, uri.authority, namespace, reader, capabilities)
    if on_disk and not storage.models_claim:
        return Verdict(
            "MirrorRequired",
            f"{field} {text}: data and adapters of the hub are read from a mirror; set storage.modelsClaim of the"
            " ComputeProfile, or put the files into a PersistentVolumeClaim",
        )
    return None


def _local_verdict(field: str, text: str, uri: Uri, capabilities: Capabilities) -> Verdict | None:
    if not capabilities.host_paths:
        return Verdict(
            "LocalPathNotAllowed",
            f"{field} {text}: pods of a cluster cannot read a local path; put the file into a ConfigMap"
            " (configmap://name/key) or a PersistentVolumeClaim (pvc://claim/path)",
        )
    if not uri.path.startswith("/"):
        return Verdict("InvalidUri", f"{field} {text}: a local path must be absolute here; write file:///...")
    return None


def _configmap_verdict(field: str, text: str, uri: Uri, namespace: str, reader: Reader) -> Verdict | None:
    found = reader.get("ConfigMap", namespace, uri.authority)
    if found is None:
        return Verdict(
            "ReferenceNotFound", f"{field} {text}: ConfigMap {namespace}/{uri.authority} does not exist", waits=True
        )
    keys = sorted([*(found.get("data") or {}), *(found.get("binaryData") or {})])
    if uri.path not in keys:
        listed = ", ".join(keys) or "none"
        return Verdict(
            "ReferenceNotFound",
            f"{field} {text}: ConfigMap {namespace}/{uri.authority} has no key {uri.path}; it has {listed}",
            waits=True,
        )
    return None


def claim_verdict(
    field: str, claim_name: str, namespace: str, reader: Reader, capabilities: Capabilities
) -> Verdict | None:
    """An obstacle when a claim is missing and does not come to be by itself."""
    if capabilities.provisions_claims or reader.get("PersistentVolumeClaim", namespace, claim_name) is not None:
        return None
    return Verdict(
        "ReferenceNotFound",
        f"{field}: PersistentVolumeClaim {namespace}/{claim_name} does not exist; create it"
        + (", or set storage.artifactsStorageClass there" if field.endswith(f"artifactsClaim {claim_name}") else ""),
        waits=True,
    )
