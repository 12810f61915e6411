"""A folder of a bucket, as what is written to: files with their digests, large ones in parts."""

import hashlib
from pathlib import Path
from typing import Any

import obstore
from obstore.store import S3Store
from swiftlet.api.v1alpha1.uris import Uri

from swiftlet_trainer.storage import transfer
from swiftlet_trainer.storage.bucket import WRITE, prefix_of, store_of, told
from swiftlet_trainer.storage.transfer import download, parts

DIGEST = "swiftlet-sha256"
"""Key of an object's metadata: hex sha256 of the file that it was."""


def download_object(store: S3Store, uri: Uri, item: Any, file: Path) -> None:
    """Every part of the very object that was listed: of one that is replaced meanwhile nothing is mixed in."""
    download(_reader(store, uri, item), item["size"], file)


def _reader(store: S3Store, uri: Uri, item: Any) -> transfer.Read:
    def read(begin: int, end: int) -> bytes:
        with told(uri):
            found = obstore.get(store, item["path"], options={"range": (begin, end), "if_match": item["e_tag"]})
            return bytes(found.bytes())

    return read


class BucketFolder:
    """The keys below a URI. Names are relative to it. All raise InvalidInput (absent, refused) and TransferFailed."""

    def __init__(self, uri: Uri) -> None:
        self._uri, self._store, self._prefix = uri, store_of(uri.authority), prefix_of(uri)

    def names(self) -> set[str]:
        """Of all files that are there."""
        with told(self._uri, WRITE):
            pages = obstore.list(self._store, self._prefix)
            return {item["path"].removeprefix(self._prefix) for page in pages for item in page}

    def read(self, name: str) -> bytes:
        """A small file."""
        with told(self._uri, WRITE):
            return bytes(obstore.get(self._store, self._prefix + name).bytes())

    def write(self, name: str, content: bytes) -> None:
        """A small file."""
        with told(self._uri, WRITE):
            obstore.put(self._store, self._prefix + name, content)

    def upload(self, name: str, file: Path, sha256: str) -> None:
        """A file of that digest, unless it is there: an upload that was cut short goes on with the next file. Raises
        FileNotFoundError."""
        size = file.stat().st_size
        if self._has(name, size, sha256):
            return
        with told(self._uri, WRITE):
            obstore.put(
                self._store,
                self._prefix + name,
                file,
                attributes={DIGEST: sha256},
                chunk_size=transfer.PART,
                max_concurrency=transfer.SIDE_BY_SIDE,
            )

    def sha256(self, name: str) -> str:
        """Hex digest of the bytes that the storage gives back."""
        digest = hashlib.sha256()
        item = self._found(name)
        for content in parts(_reader(self._store, self._uri, item), item["size"]):
            digest.update(content)
        return digest.hexdigest()

    def download(self, name: str, file: Path) -> None:
        """A file, whole or not at all."""
        download_object(self._store, self._uri, self._found(name), file)

    def remove(self, name: str) -> None:
        """Remove a file."""
        with told(self._uri, WRITE):
            obstore.delete(self._store, self._prefix + name)

    def _found(self, name: str) -> Any:
        with told(self._uri, WRITE):
            return obstore.head(self._store, self._prefix + name)

    def _has(self, name: str, size: int, sha256: str) -> bool:
        with told(self._uri, WRITE):
            try:
                found = obstore.get(self._store, self._prefix + name, options={"head": True})
            except FileNotFoundError:
                return False
            return found.meta["size"] == size and found.attributes.get(DIGEST) == sha256
