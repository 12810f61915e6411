"""A repository of a registry of containers: blobs in parts, manifests by their digest. Source: OCI distribution
specification 1.1.

$SWIFTLET_REGISTRY_CONFIG is a Docker config.json with credentials, authorities come from $SSL_CERT_FILE.
"""

import base64
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from swiftlet.api.v1alpha1.uris import Uri

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.storage import transfer
from swiftlet_trainer.storage.transfer import TransferFailed

CONFIG, PLAIN_HTTP = "SWIFTLET_REGISTRY_CONFIG", "SWIFTLET_REGISTRY_PLAIN_HTTP"
READ_SECONDS = 60
PAUSES = (0, 1, 5, 20)
"""Seconds before each try of a request or part."""
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PASSING = (408, 429)
FIRST_THAT_PASSES = 500


class Repository:
    """The repository that a URI names. All raise InvalidInput (absent, refused) and TransferFailed (may pass)."""

    def __init__(self, uri: Uri) -> None:
        scheme = "http" if os.environ.get(PLAIN_HTTP) else "https"
        self._host, self.name = uri.authority, uri.path
        self._base = f"{scheme}://{uri.authority}/v2/{uri.path}"
        timeout = httpx.Timeout(READ_SECONDS, connect=10)
        self._own = httpx.URL(self._base)
        self._client = httpx.Client(timeout=timeout, follow_redirects=True)
        self._login = _login(os.environ.get(CONFIG), uri.authority, uri.path)
        self._authorization: str | None = None

    def manifest(self, reference: str, media_type: str = MANIFEST) -> bytes:
        """The manifest of a tag or digest; with a digest, its very bytes."""
        content = self._asked("GET", f"{self._base}/manifests/{reference}", headers={"Accept": media_type}).content
        if reference.startswith("sha256:") and digest_of(content) != reference:
            raise TransferFailed(f"{self._host}/{self.name}@{reference}: another manifest came: {digest_of(content)}")
        return content

    def has_manifest(self, reference: str) -> bool:
        """Whether there is one, or an index, of that tag or digest."""
        return self._has(f"manifests/{reference}", Accept=f"{MANIFEST}, {INDEX}")

    def put_manifest(self, reference: str, content: bytes, media_type: str = MANIFEST) -> bool:
        """Name a manifest; whether the registry itself lists it beside its subject, which older ones do not."""
        headers = {"Content-Type": media_type}
        answer = self._asked("PUT", f"{self._base}/manifests/{reference}", headers=headers, content=content)
        return "OCI-Subject" in answer.headers

    def begin_and_abandon(self) -> None:
        """See that blobs can be written. Abandoning is no part of the specification; an upload left alone expires."""
        place = self._begun()
        with suppress(httpx.TransportError, TransferFailed):
            self._once("DELETE", place)

    def put_blob(self, digest: str, size: int, file: Path) -> None:
        """Write a blob in parts, unless it is there; the registry compares its digest."""
        if self._has(f"blobs/{digest}"):
            return
        place, sent, pauses = self._begun(), 0, iter(PAUSES)
        with file.open("rb") as stream:
            while sent < size:
                before = stream.seek(sent)
                place, sent = self._part(place, sent, stream.read(transfer.PART))
                if sent > before:
                    continue
                if (pause := next(pauses, None)) is None:
                    raise TransferFailed(f"{self._host}/{self.name}: no part of {digest} is taken after byte {sent}")
                time.sleep(pause)
        self._asked("PUT", _with(place, digest=digest), headers={"Content-Length": "0"})

    def put_small(self, content: bytes) -> None:
        """Write a blob of a few bytes."""
        if not self._has(f"blobs/{(digest := digest_of(content))}"):
            self._asked("PUT", _with(self._begun(), digest=digest), content=content)

    def fetch_blob(self, digest: str, size: int, file: Path) -> None:
        """A blob of that digest into `file`, which appears when it is complete. A stream that is cut goes on."""
        file.parent.mkdir(parents=True, exist_ok=True)
        partial, url, said = file.with_name(f".{file.name}.partial"), f"{self._base}/blobs/{digest}", ""
        partial.write_bytes(b"")
        for pause in PAUSES:
            time.sleep(pause)
            try:
                self._append(url, partial, size)
            except (TransferFailed, httpx.TransportError) as error:
                said = str(error) or type(error).__name__
            if partial.stat().st_size >= size:
                break
        else:
            partial.unlink()
            raise TransferFailed(f"{self._host}/{self.name}@{digest}: {said or 'it was cut short'}")
        with partial.open("rb") as stream:
            found = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
        if found != digest:
            partial.unlink()
            raise TransferFailed(f"{self._host}/{self.name}@{digest}: other bytes came, of digest {found}")
        partial.replace(file)

    def _append(self, url: str, partial: Path, size: int) -> None:
        begin = partial.stat().st_size
        headers = {"Range": f"bytes={begin}-{size - 1}"} if begin else {}
        with self._streamed(url, headers) as answer, partial.open("r+b" if answer.status_code == 206 else "wb") as out:
            out.seek(0, os.SEEK_END)
            for content in answer.iter_bytes(1 << 20):
                out.write(content)
                if out.tell() > size:
                    return  # more than was promised: the digest will tell

    def _part(self, place: str, sent: int, content: bytes) -> tuple[str, int]:
        """Send a part; where the upload goes on, and from which byte: after an error the registry is asked."""
        headers = {"Content-Type": "application/octet-stream", "Content-Range": f"{sent}-{sent + len(content) - 1}"}
        try:
            answer = self._once("PATCH", place, headers=headers, content=content)
            _check(answer, self._host, self.name)
            return self._location(answer), sent + len(content)
        except (httpx.TransportError, TransferFailed):
            answer = self._asked("GET", place)
            known = re.fullmatch(r"(?:bytes=)?0-(\d+)", answer.headers.get("Range", ""))
            return self._location(answer), int(known[1]) + 1 if known and int(known[1]) else 0

    def _has(self, path: str, **headers: str) -> bool:
        answer = self._tried("HEAD", f"{self._base}/{path}", headers=headers)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return False
        _check(answer, self._host, self.name)
        return True

    def _begun(self) -> str:
        return self._location(self._asked("POST", f"{self._base}/blobs/uploads/"))

    def _location(self, answer: httpx.Response) -> str:
        return str(answer.url.join(answer.headers["Location"]))

    def _asked(self, method: str, url: str | httpx.URL, **named: Any) -> httpx.Response:
        answer = self._tried(method, url, **named)
        _check(answer, self._host, self.name)
        return answer

    def _tried(self, method: str, url: str | httpx.URL, **named: Any) -> httpx.Response:
        """The answer, after as many tries as passing trouble takes."""
        said = ""
        for pause in PAUSES:
            time.sleep(pause)
            try:
                answer = self._once(method, url, **named)
            except (TransferFailed, httpx.TransportError) as error:
                said = str(error) or type(error).__name__
                continue
            if not _passes(answer.status_code):
                return answer
            said = _words(answer)
        raise TransferFailed(f"{self._host}/{self.name}: {said}, {len(PAUSES)} times")

    def _once(self, method: str, url: str | httpx.URL, **named: Any) -> httpx.Response:
        answer = self._client.request(method, url, **self._authorized(url, named))
        if answer.status_code == httpx.codes.UNAUTHORIZED and self._log_in(answer):
            answer = self._client.request(method, url, **self._authorized(url, named))
        return answer

    @contextmanager
    def _streamed(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        for again in (True, False):
            with self._client.stream("GET", url, **self._authorized(url, {"headers": headers})) as answer:
                if again and answer.status_code == httpx.codes.UNAUTHORIZED and self._log_in(answer):
                    continue
                if not answer.is_success:
                    answer.read()
                _check(answer, self._host, self.name)
                yield answer
                return

    def _log_in(self, answer: httpx.Response) -> bool:
        """Take what the registry asks for: the password, or a token for it. Source: distribution, token
        authentication.

        Whoever else has answered (a redirection's target) gets nothing. Raises TransferFailed.
        """
        if not self._is_own(answer.url):
            return False
        asked = answer.headers.get("WWW-Authenticate", "")
        kind, _, rest = asked.partition(" ")
        fields = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        own = {"Authorization": f"Basic {self._login}"} if self._login else {}
        if kind.lower() == "basic" and own:
            self._authorization = own["Authorization"]
            return True
        realm = fields.get("realm", "")
        if kind.lower() != "bearer" or not realm.startswith(("https://", f"{self._own.scheme}://")):
            return False
        wanted = {name: fields[name] for name in ("service", "scope") if name in fields}
        said = self._client.get(realm, params=wanted, headers=own)
        if _passes(said.status_code):
            raise TransferFailed(f"{realm} gives no token: {_words(said)}")
        if not said.is_success:
            return False
        token = said.json()
        self._authorization = f"Bearer {token.get('token') or token['access_token']}"
        return True

    def _authorized(self, url: str | httpx.URL, named: Mapping[str, Any]) -> dict[str, Any]:
        """For the registry alone: an upload's Location may be anywhere, or the same host without TLS."""
        own = {"Authorization": self._authorization} if self._authorization and self._is_own(url) else {}
        return {**named, "headers": {**named.get("headers", {}), **own}}

    def _is_own(self, url: str | httpx.URL) -> bool:
        asked = httpx.URL(url)
        return (asked.scheme, asked.host, asked.port) == (self._own.scheme, self._own.host, self._own.port)


def _login(config: str | None, host: str, name: str) -> str | None:
    """What Basic authentication sends. Source: docker-config-json(5)."""
    if not config:
        return None
    try:
        auths = {_place(key): entry for key, entry in json.loads(config)["auths"].items()}
        places = [place for place in auths if f"{host}/{name}/".startswith(f"{place}/")]
        found = (auths[max(places, key=len)] if places else None) or {}
        if found.get("auth") or "username" not in found:
            return found.get("auth")
        return base64.b64encode(f"{found['username']}:{found['password']}".encode()).decode()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidInput(["the Secret of storage.oci.secretName is no .dockerconfigjson with `auths`"]) from None


def _place(key: str) -> str:
    """Host, and where there is one the path, that a login is for: kubectl writes it as a URL where it is given one.
    Source: Kubernetes, "Images", interpretation of config.json."""
    host, _, path = key.partition("://")[2].partition("/") if "://" in key else key.partition("/")
    path = re.sub("^v[12](/|$)", "", path).rstrip("/")
    return f"{host}/{path}" if path else host


def _check(answer: httpx.Response, host: str, name: str) -> None:
    if answer.is_success:
        return
    where, said = f"registry {host}, repository {name}", _words(answer)
    if _passes(answer.status_code):
        raise TransferFailed(f"{where}: {said}")
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise InvalidInput([f"{where}: {said}; correct the URI, or push it"])
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise InvalidInput([f"{where} refuses it ({said}); correct the Secret that storage.oci.secretName names"])
    raise InvalidInput([f"{where} does not take it ({said})"])


def _passes(status: int) -> bool:
    return status >= FIRST_THAT_PASSES or status in PASSING


def _words(answer: httpx.Response) -> str:
    """The registry's own, where it says any."""
    try:
        errors = [f"{one.get('code')}: {one.get('message')}" for one in answer.json()["errors"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        errors = []
    return " ".join([str(answer.status_code), *errors])[:300]


def _with(url: str, **more: str) -> httpx.URL:
    return httpx.URL(url).copy_merge_params(more)


def digest_of(content: bytes) -> str:
    """`sha256:` digest of a manifest or blob."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
