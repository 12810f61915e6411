"""Where models and data come from: the URI schemes that documents use."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

DATA_URI_PATTERN = (
    r"^(configmap://[a-z0-9][-a-z0-9.]*/[-._a-zA-Z0-9]+"
    r"|pvc://[a-z0-9][-a-z0-9.]*/.+"
    r"|hf://[-._a-zA-Z0-9]+/[-._a-zA-Z0-9]+(@[-._a-zA-Z0-9]+)?/.+"
    r"|file:///.+|\.{0,2}/.+|[-._a-zA-Z0-9][-._a-zA-Z0-9/]*)$"
)
MODEL_URI_PATTERN = (
    r"^(pvc://[a-z0-9][-a-z0-9.]*/.+"
    r"|hf://[-._a-zA-Z0-9]+/[-._a-zA-Z0-9]+(@[-._a-zA-Z0-9]+)?"
    r"|file:///.+|\.{0,2}/.+|[-._a-zA-Z0-9][-._a-zA-Z0-9/]*)$"
)

DataUri = Annotated[str, Field(pattern=DATA_URI_PATTERN, max_length=1024)]
"""`configmap://name/key`, `pvc://claim/path`, `hf://org/name[@revision]/file`, or a local path (local engine only)."""

ModelUri = Annotated[str, Field(pattern=MODEL_URI_PATTERN, max_length=1024)]
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
