"""Where models and data come from: the URI schemes that documents use."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from swiftlet.api.names import SUBDOMAIN, quoted

DATA_URI_PATTERN = (
    rf"^(configmap://{SUBDOMAIN}/[-._a-zA-Z0-9]+"
    rf"|pvc://{SUBDOMAIN}/.+"
    r"|hf://[-._a-zA-Z0-9]+/[-._a-zA-Z0-9]+(@[-._a-zA-Z0-9]+)?/.+"
    r"|file:///.+|\.{0,2}/.+|[-._a-zA-Z0-9][-._a-zA-Z0-9/]*)$"
)
MODEL_URI_PATTERN = (
    rf"^(pvc://{SUBDOMAIN}/.+"
    r"|hf://[-._a-zA-Z0-9]+/[-._a-zA-Z0-9]+(@[-._a-zA-Z0-9]+)?"
    r"|file:///.+|\.{0,2}/.+|[-._a-zA-Z0-9][-._a-zA-Z0-9/]*)$"
)

_SEPARATOR = r"(/|\\|%2[fF]|%5[cC])"
LEAVES_PATTERN = rf"^(configmap|hf|pvc)://(.*({_SEPARATOR}|@))?((\.|%2[eE]){{0,2}}{_SEPARATOR}|(\.|%2[eE]){{1,2}}(@|$))"
"""A part of a path that is empty, `.` or `..`, also where it is written in percent encoding or between backslashes: no
two readers agree about these, and one of them leaves the volume or the repository."""
RESERVED_PATTERN = r"^configmap://[^/]*/\.\."
"""Keys of ConfigMaps do not begin with two dots. Source: apimachinery, IsConfigMapKey."""
LONG_PATTERN = r"^((configmap|pvc)://[^/]{254}|configmap://[^/]*/[^/]{254})"
"""Names and keys may have 253 characters."""
LEAVES = "`..`, `.` and empty parts may not be in the path; name the place directly"

_RULES = [
    {
        "rule": f"!self.matches({quoted(LEAVES_PATTERN)}) && !self.matches({quoted(RESERVED_PATTERN)})",
        "message": LEAVES,
    },
    {
        "rule": f"!self.matches({quoted(LONG_PATTERN)})",
        "message": "names and keys of Kubernetes objects have 253 characters at most; use a shorter one",
    },
]
_EXTRA: dict[str, Any] = {"x-kubernetes-validations": _RULES}

DATA_ENDINGS = (".jsonl", ".json", ".csv", ".parquet")
"""Endings of data files that the trainer has a reader for (`swiftlet_trainer.data.readers`)."""

DataUri = Annotated[str, Field(pattern=DATA_URI_PATTERN, max_length=1024, json_schema_extra=_EXTRA)]
"""`configmap://name/key`, `pvc://claim/path`, `hf://org/name[@revision]/file`, or a local path (local engine only)."""

ModelUri = Annotated[str, Field(pattern=MODEL_URI_PATTERN, max_length=1024, json_schema_extra=_EXTRA)]
"""`hf://org/name[@revision]`, `pvc://claim/path`, or a local path (local engine only)."""


@dataclass(frozen=True)
class Uri:
    """A parsed URI.

    scheme: configmap, pvc, hf or file. authority: ConfigMap's or claim's name, or `org/name` for hf; empty for file.
    path: key, path in the claim, file in the repository, or the local path. revision: hf only.
    """

    scheme: str
    authority: str
    path: str
    revision: str | None = None

    @property
    def is_local(self) -> bool:
        return self.scheme == "file"


_HF = re.compile(r"^hf://([^/]+/[^/@]+)(?:@([^/]+))?(?:/(.+))?$")


def parse_uri(text: str) -> Uri:
    """Split a URI that already matched one of the patterns above."""
    if match := _HF.match(text):
        return Uri("hf", match[1], match[3] or "", match[2])
    scheme, separator, rest = text.partition("://")
    if not separator:
        return Uri("file", "", text)
    if scheme == "file":
        return Uri("file", "", rest)
    authority, _, path = rest.partition("/")
    return Uri(scheme, authority, path)
