"""An artifact into a folder of object storage. Its manifest comes last: half of an artifact is never taken for one."""

from pathlib import Path
from typing import Protocol

from swiftlet_trainer.artifact.manifest import MANIFEST_FILE, file_sha256, read_manifest
from swiftlet_trainer.storage.transfer import TransferFailed


class Folder(Protocol):
    """See `storage.bucket_folder.BucketFolder`."""

    def names(self) -> set[str]: ...
    def read(self, name: str) -> bytes: ...
    def upload(self, name: str, file: Path, sha256: str) -> None: ...
    def sha256(self, name: str) -> str: ...
    def download(self, name: str, file: Path) -> None: ...
    def remove(self, name: str) -> None: ...


def upload_artifact(artifact: Path, target: Folder) -> None:
    """Every file of the manifest, read back and compared with it; then the manifest.

    Raises TransferFailed where other bytes came back, which are removed; and what the folder raises.
    """
    manifest = artifact / MANIFEST_FILE
    if MANIFEST_FILE in target.names() and target.read(MANIFEST_FILE) == manifest.read_bytes():
        return
    files = read_manifest(artifact).files
    for name, record in files.items():
        target.upload(name, artifact / name, record.sha256)
    if wrong := [name for name, record in files.items() if target.sha256(name) != record.sha256]:
        for name in wrong:
            target.remove(name)
        raise TransferFailed(f"other bytes came back than were written, of {', '.join(wrong)}; they were removed")
    target.upload(MANIFEST_FILE, manifest, file_sha256(manifest))
