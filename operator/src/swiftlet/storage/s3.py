"""s3://bucket/key: a file, or the folder below a prefix, of any object storage that speaks S3."""

from pathlib import PurePosixPath
from typing import Any

from swiftlet.storage.mount import Fetched, Mount
from swiftlet.storage.scheme import Claims, Form, Located, Scheme, Slot, Volumes
from swiftlet.storage.uri import Uri

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Variables, and keys of the Secret. Source: AWS SDKs and Tools Reference Guide, Environment variables."""
OPTIONAL = "AWS_SESSION_TOKEN"


class S3(Scheme):
    """A pod's first container fetches it into a volume of the pod's own, and it alone has the credentials."""

    name = "s3"
    authority = "[a-z0-9][-.a-z0-9]{1,61}[a-z0-9]"
    data = Form("/.+", "s3://bucket/key")
    model = artifact = checkpoint = Form("/.+", "s3://bucket/prefix")

    def locate(self, uri: Uri, slot: Slot, volumes: Volumes) -> Located:
        path = slot.folder if slot.is_model else f"{slot.folder}/{PurePosixPath(uri.path).name}"
        target = Fetched(f"{self.name}://{uri.authority}/{uri.path}", f"{path}/" if slot.is_model else path)
        source = {"emptyDir": {"sizeLimit": volumes.most_fetched}}
        return Located(path, Mount(slot.name, source, slot.folder, read_only=False, fetched=target))

    def written(self, uri: Uri, run: str, part: str) -> str:
        """A folder of the run's own: no run writes over what another one has left."""
        return f"{self.name}://{uri.authority}/{uri.path.rstrip('/')}/{run}/{part}"

    def environment(self, claims: Claims) -> list[dict[str, Any]]:
        """Credentials by reference; without a Secret those of the pod's ServiceAccount or node."""
        settings = claims.s3
        if settings is None:
            return []
        plain = {"AWS_ENDPOINT_URL": settings.endpoint, "AWS_REGION": settings.region}
        env: list[dict[str, Any]] = [{"name": name, "value": value} for name, value in plain.items() if value]
        for key in CREDENTIALS if settings.secret_name else ():
            ref = {"name": settings.secret_name, "key": key} | ({"optional": True} if key == OPTIONAL else {})
            env.append({"name": key, "valueFrom": {"secretKeyRef": ref}})
        return env
