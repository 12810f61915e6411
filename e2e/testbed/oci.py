"""OCI images as files: read what an archive holds, write one of a single program.

Source: opencontainers image-spec 1.1 (image-layout.md, manifest.md).
"""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from testbed.errors import TestBedError

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
REFERENCE = "org.opencontainers.image.ref.name"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def reference(name: str) -> str:
    """An image's full name as the container runtime knows it: with a tag, and with the host that it must begin with.

    Raises TestBedError for a name without a host: pods would look for it on a public registry, out of reach here.
    """
    first, slash, _ = name.partition("/")
    if not slash or (first != "localhost" and not set(first) & set(".:")):
        raise TestBedError(f"image {name} has no host in its name: call it localhost/{name}, here and in the pods")
    return name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"


def contents(archive: Path) -> dict[str, str]:
    """Images of an archive: name → digest. Raises TestBedError for a file that is no OCI archive."""
    try:
        with tarfile.open(archive, "r:") as tar:
            member = tar.extractfile("index.json")
            index = json.load(member) if member else {}
        return {each["annotations"][REFERENCE]: each["digest"] for each in index["manifests"]}
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise TestBedError(
            f"{archive} is no OCI archive with a name in it ({error!r}): "
            "write one with `buildah push IMAGE oci-archive:FILE:NAME`"
        ) from error


def write_program_image(archive: Path, name: str, program: Path) -> Path:
    """Write an archive of an image that holds one static program and runs it; its path. The same bytes each time."""
    layer = _tar({program.name: program.read_bytes()}, mode=0o755)
    config = to_json(
        {
            "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {"Entrypoint": [f"/{program.name}"]},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]},
        }
    )
    manifest = image_manifest(config, [descriptor(LAYER, digest_of(layer), len(layer))])
    files = image_index(name, manifest) | {blob_path(digest_of(blob)): blob for blob in (config, manifest, layer)}
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(_tar(files, mode=0o644))
    return archive


def image_manifest(config: bytes, layers: Sequence[dict[str, Any]]) -> bytes:
    """Manifest of an image; `layers` are descriptors."""
    described = descriptor(CONFIG, digest_of(config), len(config))
    return to_json({"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": list(layers)})


def image_index(name: str, manifest: bytes) -> dict[str, bytes]:
    """The files beside the blobs of an archive with one image, called `name`."""
    entry = {**descriptor(MANIFEST, digest_of(manifest), len(manifest)), "annotations": {REFERENCE: name}}
    index = {"schemaVersion": 2, "manifests": [entry]}
    return {"oci-layout": to_json({"imageLayoutVersion": "1.0.0"}), "index.json": to_json(index)}


def descriptor(kind: str, digest: str, size: int) -> dict[str, Any]:
    """What names a blob. `size` in bytes."""
    return {"mediaType": kind, "digest": digest, "size": size}


def blob_path(digest: str) -> str:
    """Where an archive has a blob."""
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def digest_of(content: bytes) -> str:
    """sha256:…"""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def to_json(document: object) -> bytes:
    """Compact JSON."""
    return json.dumps(document, separators=(",", ":")).encode()


def _tar(files: dict[str, bytes], mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
