"""oci://: a model, adapter or artifact in a registry, as ORAS lays out files: a layer each, named by its title."""

import hashlib
import json
import re
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from swiftlet.api.v1alpha1.uris import Uri

from swiftlet_trainer.artifact.manifest import MANIFEST_FILE, FileRecord, file_sha256, read_manifest
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.storage.hf import FETCHED
from swiftlet_trainer.storage.registry_client import INDEX, MANIFEST, Repository, digest_of
from swiftlet_trainer.storage.transfer import outside

ARTIFACT_TYPE = "application/vnd.swiftlet.artifact.v1"
EVALUATION_TYPE = "application/vnd.swiftlet.evaluation.v1"
EVALUATION = "dev.swiftlet.evalrun"
"""Annotation of an evaluation: namespace/name of the EvalRun."""
LAYER = "application/octet-stream"
TITLE = "org.opencontainers.image.title"
"""Source: OCI image specification 1.1, pre-defined annotation keys; ORAS writes a layer to the file of that name."""
EMPTY = b"{}"
"""Config of an artifact that has none. Source: OCI image specification 1.1, guidance for an empty descriptor."""


def fetch_folder(uri: Uri, folder: Path, most: int) -> None:
    """What a model's folder is read for. Raises InvalidInput (absent, refused, larger than `most` bytes) and
    TransferFailed."""
    repository = Repository(uri)
    wanted = _wanted(repository.manifest(uri.revision or "latest"), uri)
    if (size := sum(layer["size"] for layer in wanted.values())) > most:
        raise InvalidInput([f"{size:,} bytes are more than {most:,}; raise storage.s3.mostFetched of the profile"])
    for name, layer in wanted.items():
        repository.fetch_blob(layer["digest"], layer["size"], folder / name)


def probe(uri: Uri, who: str) -> None:
    """See that the repository can be written to."""
    Repository(uri).begin_and_abandon()


def write_artifact(folder: Path, uri: Uri) -> str:
    """Write an artifact and tag it, its files first; returns its URI by digest. The registry compares every digest.

    Raises InvalidInput and TransferFailed.
    """
    repository, manifest = Repository(uri), folder / MANIFEST_FILE
    own = FileRecord(size=manifest.stat().st_size, sha256=file_sha256(manifest))
    files = {**read_manifest(folder).files, MANIFEST_FILE: own}
    for name, record in files.items():
        repository.put_blob(f"sha256:{record.sha256}", record.size, folder / name)
    repository.put_small(EMPTY)
    content = layout(files)
    repository.put_manifest(uri.revision or "latest", content)
    return f"{uri.scheme}://{uri.authority}/{uri.path}@{digest_of(content)}"


def attach(files: Sequence[Path], uri: Uri, digest: str | None, who: str) -> None:
    """Attach files to an artifact as its referrer. digest: of the artifact's own manifest; other ones are refused.

    Raises InvalidInput and TransferFailed.
    """
    repository = Repository(uri)
    subject = repository.manifest(uri.revision or "latest")
    own = [layer["digest"] for layer in json.loads(subject).get("layers", []) if _title(layer) == MANIFEST_FILE]
    if digest and own != [digest]:
        raise InvalidInput([f"{uri.path} is not the artifact that was measured, of digest {digest}; its tag was moved"])
    records = {file.name: FileRecord(size=file.stat().st_size, sha256=file_sha256(file)) for file in files}
    for file in files:
        repository.put_blob(f"sha256:{records[file.name].sha256}", records[file.name].size, file)
    repository.put_small(EMPTY)
    about, notes = {"mediaType": MANIFEST, "digest": digest_of(subject), "size": len(subject)}, {EVALUATION: who}
    content = layout(records, EVALUATION_TYPE, subject=about, annotations=notes)
    if not repository.put_manifest(digest_of(content), content):
        kind = {"artifactType": EVALUATION_TYPE, "annotations": notes}
        entry = {"mediaType": MANIFEST, "digest": digest_of(content), "size": len(content), **kind}
        _list_beside(repository, digest_of(subject), entry)


def _list_beside(repository: Repository, subject: str, entry: dict[str, Any]) -> None:
    """Note a referrer where clients look when the registry keeps no list itself. Source: OCI distribution
    specification 1.1, referrers tag schema."""
    tag = subject.replace(":", "-")
    known = json.loads(repository.manifest(tag, INDEX))["manifests"] if repository.has_manifest(tag) else []
    entries = [one for one in known if one["digest"] != entry["digest"]]
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [*entries, entry]}
    repository.put_manifest(tag, json.dumps(index).encode(), INDEX)


def layout(files: dict[str, FileRecord], artifact_type: str = ARTIFACT_TYPE, **more: Any) -> bytes:
    """The registry's manifest of files: the same bytes for the same files."""
    config = _descriptor("application/vnd.oci.empty.v1+json", len(EMPTY), hashlib.sha256(EMPTY).hexdigest())
    layers = [
        {**_descriptor(LAYER, record.size, record.sha256), "annotations": {TITLE: name}}
        for name, record in sorted(files.items())
    ]
    kind = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact_type}
    return json.dumps({**kind, "config": config, "layers": layers, **more}, indent=2).encode()


def _title(layer: dict[str, Any]) -> str | None:
    return (layer.get("annotations") or {}).get(TITLE)


def _descriptor(media_type: str, size: int, sha256: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{sha256}", "size": size}


def _wanted(content: bytes, uri: Uri) -> dict[str, Any]:
    """Layers by the names of their files."""
    try:
        layers = json.loads(content)["layers"]
        named = {title: layer for layer in layers if (title := _title(layer))}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidInput([f"{uri.path} is no artifact of files, as `oras push` makes them"]) from None
    wanted = {name: layer for name, layer in named.items() if any(fnmatch(name, pattern) for pattern in FETCHED)}
    if not wanted:
        raise InvalidInput([f"no layer of {uri.path} is a file of a model by its title; push its folder with oras"])
    if leaving := outside(wanted):
        raise InvalidInput([f"layer {name} leaves the folder; push it by another name" for name in leaving])
    if unknown := [name for name, layer in wanted.items() if not _is_compared(layer)]:
        raise InvalidInput([f"layer {name} has no size, or no digest of sha256; push it with oras" for name in unknown])
    return wanted


def _is_compared(layer: dict[str, Any]) -> bool:
    size, digest = layer.get("size"), layer.get("digest")
    return isinstance(size, int) and size >= 0 and bool(re.fullmatch("sha256:[0-9a-f]{64}", str(digest)))
