"""A bucket of any storage that speaks S3, through obstore, the Python face of Rust's object_store; and its errors, told
as those of a verb.

AWS_ENDPOINT_URL, AWS_REGION and the credentials come from the environment, authorities from SSL_CERT_FILE.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from obstore import exceptions
from obstore.store import S3Store
from swiftlet.api.v1alpha1.uris import Uri

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.storage.transfer import TransferFailed

if TYPE_CHECKING:
    from obstore.store import ClientConfig

READ_SECONDS = 60
"""Without a byte, after which a request is made again."""
RETRY_SECONDS = 180
NOT_FOUND, REFUSED, PASSING = 404, (401, 403), (408, 429)
FIRST_THAT_PASSES = 500
"""Statuses of HTTP: what only a person changes, and what a later attempt may not meet."""


def store_of(bucket: str) -> S3Store:
    """Its client. What is sent carries its SHA-256, which the storage compares with what came."""
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
        checksum_algorithm="SHA256",
        virtual_hosted_style_request=endpoint is None,
        client_options=client,
        retry_config={"max_retries": 10, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
    )


class Use(NamedTuple):
    """What is done with a bucket: the permissions that it needs, and what helps where something is not there."""

    needs: str
    absent: str


READ = Use("s3:GetObject and s3:ListBucket", "correct the URI, or upload it")
WRITE = Use("s3:PutObject, s3:GetObject, s3:ListBucket and s3:DeleteObject", "correct the URI, or make the bucket")


def prefix_of(uri: Uri) -> str:
    """What the keys of a folder begin with."""
    return uri.path.rstrip("/") + "/"


@contextmanager
def told(uri: Uri, use: Use = READ) -> Iterator[None]:
    """Errors of the library as those of a verb: what only a person can change, and what may pass."""
    where = f"bucket {uri.authority} of {os.environ.get('AWS_ENDPOINT_URL') or 'Amazon S3'}"
    try:
        yield
    except exceptions.PreconditionError:
        raise InvalidInput([f"{where}: {uri.path} was replaced while it was read; run the resource again"]) from None
    except (FileNotFoundError, exceptions.BaseError) as error:
        status, said = _status(error), _said(error)
        if status == NOT_FOUND:
            raise InvalidInput([f"{where} has no {uri.path}; {use.absent}"]) from None
        if status in REFUSED:
            remedy = f"allow its credentials {use.needs} there, or correct storage.s3.secretName"
            raise InvalidInput([f"{where} refuses it ({said}); {remedy}"]) from None
        if status is not None and status < FIRST_THAT_PASSES and status not in PASSING:
            remedy = "correct storage.s3 of the profile, such as its region"
            raise InvalidInput([f"{where} does not take the request ({said}); {remedy}"]) from None
        raise TransferFailed(f"{uri.scheme}://{uri.authority}/{uri.path}: {where}: {said}") from None


def _status(error: Exception) -> int | None:
    """The status of the answer, where there was one. A list's errors have no classes of their own."""
    if isinstance(error, FileNotFoundError | exceptions.NotFoundError):
        return NOT_FOUND
    found = re.search(r"status code: (\d{3})", str(error))
    return int(found[1]) if found else None


def _said(error: Exception) -> str:
    """The storage's own words, where it has answered with its document of an error; else the first line."""
    text = str(error).strip()
    if code := re.search(r"<Code>([^<]*)</Code>", text):
        words = re.search(r"<Message>([^<]*)</Message>", text)
        answered = re.search(r"status code: (\d{3})", text)
        return f"{answered[1] + ' ' if answered else ''}{code[1]}: {words[1] if words else ''}"[:300]
    lines = text.splitlines()
    return lines[0][:300] if lines else type(error).__name__
