"""s3://: files of any storage that speaks S3, through obstore, the Python face of Rust's object_store.

AWS_ENDPOINT_URL, AWS_REGION and the credentials come from the environment, authorities from SSL_CERT_FILE.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import obstore
from obstore import exceptions
from obstore.store import S3Store
from swiftlet.api.uris import Uri

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.storage.hf import FETCHED
from swiftlet_trainer.storage.transfer import TransferFailed, download

if TYPE_CHECKING:
    from obstore.store import ClientConfig

READ_SECONDS = 60
"""Without a byte, after which a request is made again."""
RETRY_SECONDS = 180
NOT_FOUND, REFUSED, PASSING = 404, (401, 403), (408, 429)
FIRST_THAT_PASSES = 500
"""Statuses of HTTP: what only a person changes, and what a later attempt may not meet."""


def fetch_file(uri: Uri, file: Path, most: int) -> None:
    """The object of that key. Raises InvalidInput (absent, refused, larger than `most` bytes) and TransferFailed."""
    store = _store(uri.authority)
    with _told(uri):
        found = obstore.head(store, uri.path)
    _bounded(found["size"], most)
    _download(store, uri, found, file)


def fetch_folder(uri: Uri, folder: Path, most: int) -> None:
    """What a model's folder is read for, of all keys below the prefix; else as `fetch_file`."""
    store, prefix = _store(uri.authority), uri.path.rstrip("/") + "/"
    with _told(uri):
        listed = [item for page in obstore.list(store, prefix) for item in page]
    wanted = {item["path"].removeprefix(prefix): item for item in listed}
    wanted = {name: item for name, item in wanted.items() if any(fnmatch(name, pattern) for pattern in FETCHED)}
    if not wanted:
        raise InvalidInput([f"no file of a model lies below {prefix}; correct the prefix, or upload the folder"])
    if leaving := outside(wanted):
        raise InvalidInput([f"key {prefix}{name} leaves the folder; rename it" for name in leaving])
    _bounded(sum(item["size"] for item in wanted.values()), most)
    for name, item in wanted.items():
        _download(store, uri, item, folder / name)


def outside(names: Iterable[str]) -> list[str]:
    """Those of relative paths that would be written elsewhere: a key may be any text."""
    return [name for name in names if {"..", "/", "//"} & set(PurePosixPath(name).parts)]


def _download(store: S3Store, uri: Uri, item: Any, file: Path) -> None:
    """Every part of the very object that was listed: of one that is replaced meanwhile nothing is mixed in."""

    def read(begin: int, end: int) -> bytes:
        with _told(uri):
            found = obstore.get(store, item["path"], options={"range": (begin, end), "if_match": item["e_tag"]})
            return bytes(found.bytes())

    download(read, item["size"], file)


def _store(bucket: str) -> S3Store:
    endpoint, bundle = os.environ.get("AWS_ENDPOINT_URL"), os.environ.get("SSL_CERT_FILE")
    client: ClientConfig = {
        "allow_http": bool(endpoint and endpoint.startswith("http://")),
        "connect_timeout": timedelta(seconds=10),
        "read_timeout": timedelta(seconds=READ_SECONDS),
        "timeout": timedelta(minutes=10),
    }
    if bundle:
        client["root_certificate"] = Path(bundle).read_bytes()
    return S3Store(
        bucket,
        virtual_hosted_style_request=endpoint is None,
        client_options=client,
        retry_config={"max_retries": 10, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
    )


@contextmanager
def _told(uri: Uri) -> Iterator[None]:
    """Errors of the library as those of a verb: what only a person can change, and what may pass."""
    where = f"bucket {uri.authority} of {os.environ.get('AWS_ENDPOINT_URL') or 'Amazon S3'}"
    try:
        yield
    except exceptions.PreconditionError:
        raise InvalidInput([f"{where}: {uri.path} was replaced while it was read; run the resource again"]) from None
    except (FileNotFoundError, exceptions.BaseError) as error:
        status, said = _status(error), _first(error)
        if status == NOT_FOUND:
            raise InvalidInput([f"{where} has no {uri.path}; correct the URI, or upload it"]) from None
        if status in REFUSED:
            remedy = "allow its credentials s3:GetObject and s3:ListBucket there, or correct storage.s3.secretName"
            raise InvalidInput([f"{where} refuses it ({said}); {remedy}"]) from None
        if status is not None and status < FIRST_THAT_PASSES and status not in PASSING:
            remedy = "correct storage.s3 of the profile, such as its region"
            raise InvalidInput([f"{where} does not take the request ({said}); {remedy}"]) from None
        raise TransferFailed(f"s3://{uri.authority}/{uri.path}: {where}: {said}") from None


def _status(error: Exception) -> int | None:
    """The status of the answer, where there was one. A list's errors have no classes of their own."""
    if isinstance(error, FileNotFoundError | exceptions.NotFoundError):
        return NOT_FOUND
    found = re.search(r"status code: (\d{3})", str(error))
    return int(found[1]) if found else None


def _bounded(size: int, most: int) -> None:
    if size > most:
        raise InvalidInput([f"{size:,} bytes are more than {most:,}; raise storage.s3.mostFetched of the profile"])


def _first(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
