"""A path of this machine, plain or as file:///path: for pods that are its processes (`swiftlet run`)."""

from pathlib import PurePosixPath

from swiftlet.storage.mount import Mount
from swiftlet.storage.scheme import Asked, Form, Located, Obstacle, Scheme, Slot, Volumes
from swiftlet.storage.uri import Uri


class LocalPath(Scheme):
    """The file or folder alone is mounted, nothing beside it."""

    name = "file"
    authority = ""
    data = model = Form(r"/.+|\.{0,2}/.+|[-._a-zA-Z0-9][-._a-zA-Z0-9/]*", "a local path")
    is_local = True

    def split(self, rest: str) -> Uri:
        return Uri(self.name, "", rest)

    def locate(self, uri: Uri, slot: Slot, volumes: Volumes) -> Located:
        path = slot.folder if slot.is_model else f"{slot.folder}/{PurePosixPath(uri.path).name}"
        source = {"hostPath": {"path": uri.path, "type": "Directory" if slot.is_model else "File"}}
        return Located(path, Mount(slot.name, source, path))

    def obstacle(self, asked: Asked) -> Obstacle | None:
        if not asked.abilities.host_paths:
            return Obstacle(
                "LocalPathNotAllowed",
                f"{asked.field} {asked.text}: pods of a cluster cannot read a local path; put the file into a ConfigMap"
                " (configmap://name/key) or a PersistentVolumeClaim (pvc://claim/path)",
            )
        if not asked.uri.path.startswith("/"):
            message = f"{asked.field} {asked.text}: a local path must be absolute here; write file:///..."
            return Obstacle("InvalidUri", message)
        return None
