"""hf://org/name[@revision][/file]: a repository of the Hugging Face hub, or of a mirror of it on a claim."""

import re

from swiftlet.storage.scheme import Asked, Claims, Form, Located, Obstacle, Scheme, Slot, Volumes
from swiftlet.storage.uri import Uri

_PARTS = re.compile(r"([^/]+/[^/@]+)(?:@([^/]+))?(?:/(.+))?")


class Hub(Scheme):
    """From a mirror where the profile names one; else pods fetch models, and only models, from the hub."""

    name = "hf"
    authority = "[-._a-zA-Z0-9]+/[-._a-zA-Z0-9]+(@[-._a-zA-Z0-9]+)?"
    data = Form("/.+", "hf://org/name[@revision]/file")
    model = Form("", "hf://org/name[@revision]")
    is_mirrored = True

    def split(self, rest: str) -> Uri:
        match = _PARTS.fullmatch(rest)
        return Uri(self.name, match[1], match[3] or "", match[2]) if match else super().split(rest)

    def hub_name(self, uri: Uri) -> str:
        return uri.authority

    def on_claim(self, uri: Uri, claims: Claims) -> tuple[str, str] | None:
        return (claims.models_claim, _place(uri)) if claims.models_claim else None

    def locate(self, uri: Uri, slot: Slot, volumes: Volumes) -> Located | None:
        return Located(f"{volumes.mirror.path}/{_place(uri)}", volumes.mirror) if volumes.mirror else None

    def obstacle(self, asked: Asked) -> Obstacle | None:
        if not asked.on_disk or asked.claims.models_claim:
            return None
        return Obstacle(
            "MirrorRequired",
            f"{asked.field} {asked.text}: data and adapters of the hub are read from a mirror; set storage.modelsClaim"
            " of the ComputeProfile, or put the files into a PersistentVolumeClaim",
        )


def _place(uri: Uri) -> str:
    """Path in a mirror."""
    folder = uri.authority + (f"@{uri.revision}" if uri.revision else "")
    return f"{folder}/{uri.path}" if uri.path else folder
