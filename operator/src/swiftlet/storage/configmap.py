"""configmap://name/key: a small data file, as a key of a ConfigMap."""

from typing import ClassVar

from swiftlet.storage.mount import Mount
from swiftlet.storage.scheme import Asked, Form, Located, Obstacle, Scheme, Slot, Volumes
from swiftlet.storage.uri import Uri


class ConfigMap(Scheme):
    """Data only: a model is larger than any ConfigMap."""

    name = "configmap"
    data = Form("/[-._a-zA-Z0-9]+", "configmap://name/key")
    object: ClassVar = ("v1", "ConfigMap")
    is_keyed = True

    def locate(self, uri: Uri, slot: Slot, volumes: Volumes) -> Located:
        """Only the named key is mounted."""
        source = {"configMap": {"name": uri.authority, "items": [{"key": uri.path, "path": uri.path}]}}
        return Located(f"{slot.folder}/{uri.path}", Mount(slot.name, source, slot.folder))

    def obstacle(self, asked: Asked) -> Obstacle | None:
        blamed, named = f"{asked.field} {asked.text}", f"ConfigMap {asked.namespace}/{asked.uri.authority}"
        found = asked.objects.get("ConfigMap", asked.namespace, asked.uri.authority)
        if found is None:
            return Obstacle("ReferenceNotFound", f"{blamed}: {named} does not exist", waits=True)
        keys = sorted([*(found.get("data") or {}), *(found.get("binaryData") or {})])
        if asked.uri.path in keys:
            return None
        listed = ", ".join(keys) or "none"
        message = f"{blamed}: {named} has no key {asked.uri.path}; it has {listed}"
        return Obstacle("ReferenceNotFound", message, waits=True)
