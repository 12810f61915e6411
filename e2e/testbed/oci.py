"""OCI image archives: read what one holds, write one of a single program. Source: opencontainers image-spec 1.1."""

import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path
from typing import Any

from testbed.errors import TestBedError

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
REFERENCE = "org.opencontainers.image.ref.name"


def reference(name: str) -> str:
    """An image's name as Kubernetes completes it: `swiftlet/operator:1` → `docker.io/swiftlet/operator:1`.

    Source: github.com/distribution/reference, ParseNormalizedNamed.
    """
    first, slash, _ = name.partition("/")
    if not slash:
        name = f"docker.io/library/{name}"
    elif first != "localhost" and not set(first) & set(".:"):
        name = f"docker.io/{name}"
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
    config = {
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Entrypoint": [f"/{program.name}"]},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
    }
    config_bytes = _json(config)
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _descriptor("application/vnd.oci.image.config.v1+json", config_bytes),
        "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
    }
    manifest_bytes = _json(manifest)
    entry = {**_descriptor(manifest["mediaType"], manifest_bytes), "annotations": {REFERENCE: name}}
    files = {"oci-layout": _json({"imageLayoutVersion": "1.0.0"})}
    files["index.json"] = _json({"schemaVersion": 2, "manifests": [entry]})
    for blob in (layer, config_bytes, manifest_bytes):
        files[f"blobs/sha256/{_digest(blob).removeprefix('sha256:')}"] = blob
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(_tar(files, mode=0o644))
    return archive


def _tar(files: dict[str, bytes], mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _descriptor(kind: Any, content: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
