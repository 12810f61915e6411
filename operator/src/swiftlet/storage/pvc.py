"""pvc://claim/path: a file or folder on a PersistentVolumeClaim of the resource's namespace."""

from typing import ClassVar

from swiftlet.storage.mount import claim
from swiftlet.storage.scheme import Abilities, Asked, Claims, Form, Located, Objects, Obstacle, Scheme, Slot, Volumes
from swiftlet.storage.uri import Uri


class Claim(Scheme):
    """Also what runs leave: see `storage.artifacts`."""

    name = "pvc"
    data = model = Form("/.+", "pvc://claim/path")
    object: ClassVar = ("v1", "PersistentVolumeClaim")

    def on_claim(self, uri: Uri, claims: Claims) -> tuple[str, str]:
        return uri.authority, uri.path

    def locate(self, uri: Uri, slot: Slot, volumes: Volumes) -> Located:
        """A model on the artifacts claim, which most likely another run has left there, is read from that volume's own
        mount."""
        if slot.is_model and uri.authority == volumes.artifacts_claim:
            return Located(f"{volumes.artifacts.path}/{uri.path}", volumes.artifacts)
        return Located(f"{slot.folder}/{uri.path}", claim(slot.name, uri.authority, slot.folder))

    def obstacle(self, asked: Asked) -> Obstacle | None:
        return claim_obstacle(asked.field, asked.uri.authority, asked.namespace, asked.objects, asked.abilities)


def claim_obstacle(
    field: str, claim_name: str, namespace: str, objects: Objects, abilities: Abilities
) -> Obstacle | None:
    """An obstacle when a claim is missing and does not come to be by itself."""
    if abilities.provisions_claims or objects.get("PersistentVolumeClaim", namespace, claim_name) is not None:
        return None
    return Obstacle(
        "ReferenceNotFound",
        f"{field}: PersistentVolumeClaim {namespace}/{claim_name} does not exist; create it"
        + (", or set storage.artifactsStorageClass there" if field.endswith(f"artifactsClaim {claim_name}") else ""),
        waits=True,
    )
