"""oci://registry/repository: a model or adapter as an artifact of a registry of containers, one layer a file."""

import re
from typing import Any

from swiftlet.storage.mount import Fetched, Mount
from swiftlet.storage.scheme import Claims, Form, Located, Scheme, Slot, Volumes
from swiftlet.storage.uri import Uri

CONFIG = "SWIFTLET_REGISTRY_CONFIG"
"""Variable with the content of a Secret of type kubernetes.io/dockerconfigjson."""
PLAIN_HTTP = "SWIFTLET_REGISTRY_PLAIN_HTTP"
KEY = ".dockerconfigjson"

REPOSITORY = "/[a-z0-9]+([-._/]+[a-z0-9]+)*"
TAG = ":[A-Za-z0-9_][-._A-Za-z0-9]{0,127}"
DIGEST = "@sha256:[0-9a-f]{64}"
"""Source: OCI distribution specification 1.1, pulling manifests."""
_PARTS = re.compile("(.+?)(?::([^:/@]+)|@(sha256:[0-9a-f]+))?")


class Oci(Scheme):
    """A pod's first container fetches it into a volume of the pod's own, and it alone has the credentials."""

    name = "oci"
    authority = "[a-z0-9][-.a-z0-9]{0,252}(:[0-9]{1,5})?"
    model = Form(f"{REPOSITORY}({TAG}|{DIGEST})", "oci://registry/repository:tag")
    artifact = Form(f"{REPOSITORY}({TAG})?", "oci://registry/repository[:tag]")

    attaches = True

    def split(self, rest: str) -> Uri:
        """The revision is the tag, or the digest."""
        authority, _, path = rest.partition("/")
        match = _PARTS.fullmatch(path)
        return Uri(self.name, authority, match[1], match[2] or match[3]) if match else super().split(rest)

    def locate(self, uri: Uri, slot: Slot, volumes: Volumes) -> Located:
        source = {"emptyDir": {"sizeLimit": volumes.most_fetched}}
        target = Fetched(self._text(uri, uri.revision or ""), f"{slot.folder}/")
        return Located(slot.folder, Mount(slot.name, source, slot.folder, read_only=False, fetched=target))

    def written(self, uri: Uri, run: str, part: str) -> str:
        """The tag that the document names, which moves, or one of the run's own."""
        return self._text(uri, uri.revision or run)

    def environment(self, claims: Claims) -> list[dict[str, Any]]:
        """Credentials by reference."""
        settings = claims.oci
        if settings is None:
            return []
        plain = [{"name": PLAIN_HTTP, "value": "true"}] if settings.plain_http else []
        ref = {"name": settings.secret_name, "key": KEY}
        return [*plain, *([{"name": CONFIG, "valueFrom": {"secretKeyRef": ref}}] if settings.secret_name else [])]

    def _text(self, uri: Uri, revision: str) -> str:
        mark = "@" if ":" in revision else ":"
        return f"{self.name}://{uri.authority}/{uri.path}{mark}{revision}"
