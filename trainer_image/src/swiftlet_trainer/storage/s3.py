"""s3://: files of any storage that speaks S3."""

from fnmatch import fnmatch
from pathlib import Path

import obstore
from swiftlet.api.v1alpha1.uris import Uri

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.storage.bucket import prefix_of, store_of, told
from swiftlet_trainer.storage.bucket_folder import BucketFolder, download_object
from swiftlet_trainer.storage.hf import FETCHED
from swiftlet_trainer.storage.transfer import outside
from swiftlet_trainer.storage.upload import upload_artifact

BEGUN = ".begun"
"""A key that no reader of models asks for."""


def folder_of(uri: Uri) -> BucketFolder:
    """The folder, to be written to."""
    return BucketFolder(uri)


def probe(uri: Uri, who: str) -> None:
    """See that a file can be written to the folder: one that says `who` writes there stays. Raises as `fetch_file`."""
    folder_of(uri).write(BEGUN, f"{who}\n".encode())


def write_artifact(folder: Path, uri: Uri) -> str:
    """Write an artifact to the folder; returns the URI that it is read by. Raises as `fetch_file`."""
    upload_artifact(folder, folder_of(uri))
    return f"{uri.scheme}://{uri.authority}/{uri.path}"


def fetch_file(uri: Uri, file: Path, most: int) -> None:
    """The object of that key. Raises InvalidInput (absent, refused, larger than `most` bytes) and TransferFailed."""
    store = store_of(uri.authority)
    with told(uri):
        found = obstore.head(store, uri.path)
    _bounded(found["size"], most)
    download_object(store, uri, found, file)


def fetch_folder(uri: Uri, folder: Path, most: int) -> None:
    """What a model's folder is read for, of all keys below the prefix; else as `fetch_file`."""
    store, prefix = store_of(uri.authority), prefix_of(uri)
    with told(uri):
        listed = [item for page in obstore.list(store, prefix) for item in page]
    wanted = {item["path"].removeprefix(prefix): item for item in listed}
    wanted = {name: item for name, item in wanted.items() if any(fnmatch(name, pattern) for pattern in FETCHED)}
    if not wanted:
        raise InvalidInput([f"no file of a model lies below {prefix}; correct the prefix, or upload the folder"])
    if leaving := outside(wanted):
        raise InvalidInput([f"key {prefix}{name} leaves the folder; rename it" for name in leaving])
    _bounded(sum(item["size"] for item in wanted.values()), most)
    for name, item in wanted.items():
        download_object(store, uri, item, folder / name)


def _bounded(size: int, most: int) -> None:
    if size > most:
        raise InvalidInput([f"{size:,} bytes are more than {most:,}; raise storage.s3.mostFetched of the profile"])
