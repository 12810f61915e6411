"""An API server without a cluster, and a resource."""

import itertools
from typing import Any

from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.kinds import Capabilities
from swiftlet.kube.client import ApiError

Manifest = dict[str, Any]
IMAGES = {"trainer": "registry.example/trainer:0.1.0", "server": "registry.example/trainer-vllm:0.1.0"}
CAPABILITIES = Capabilities(default_profile=ComputeProfileSpec.model_validate({"images": IMAGES}))


class Store:
    """An API server without a watch: every object that is asked for by name is there."""

    def __init__(self) -> None:
        self.versions = itertools.count(2)
        self.children: list[Manifest] = []
        self.gone: set[str] = set()

    def stored(self, manifest: Manifest) -> Manifest:
        version = next(self.versions)
        metadata = {"uid": f"uid-{version}", **manifest["metadata"], "resourceVersion": str(version)}
        # In other words than applied, as the API server says some things.
        return {**manifest, "metadata": metadata, "spec": {**manifest.get("spec", {}), "suspend": None}}

    async def get(self, kind: str, namespace: str | None, name: str) -> Manifest | None:
        return self.stored({"kind": kind, "metadata": {"name": name, "namespace": namespace}, "data": {"t.jsonl": ""}})

    async def apply(self, manifest: Manifest, create_only: bool = False) -> Manifest:
        self.children.append(self.stored(manifest))
        return self.children[-1]

    async def patch_status(self, kind: str, namespace: str | None, name: str, patch: Manifest) -> Manifest:
        if name in self.gone:
            raise ApiError(404, "NotFound", name)
        return self.stored({**job(name), "status": patch["status"]})

    async def create(self, manifest: Manifest) -> Manifest:
        return self.stored(manifest)


def job(name: str, version: int = 1) -> Manifest:
    metadata = {"name": name, "namespace": "team", "uid": f"uid-{name}", "resourceVersion": str(version)}
    spec = {"model": {"uri": "hf://org/model"}, "datasets": [{"uri": "configmap://rows/t.jsonl"}]}
    return {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "FineTuneJob", "metadata": metadata, "spec": spec}
