"""The HTML page of a run: copied on this machine, and on a cluster how it is had from its volume."""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from swiftlet.api.v1alpha1.uris import parse_uri
from swiftlet.kinds.pods.podspec import USER

Object = dict[str, Any]
IMAGE = "busybox:stable"
"""Where no pod of the run tells of an image that the cluster has: one with `cat` and `sleep`."""
FOLDER = "/report"
SECONDS = 600
"""For which the pod that shows a volume is there."""


def copied(pages: Sequence[Path], to: Path) -> list[Path]:
    """The copies of pages: in a folder by their own names, else one page as the file `to`. Raises OSError."""
    return [Path(shutil.copyfile(page, to / page.name if to.is_dir() else to)) for page in pages]


def how_to_fetch(item: Object, uri: str, pods: Sequence[Object]) -> str:
    """The commands that fetch a page from its PersistentVolumeClaim, which no API server reads: through a pod that
    mounts it and runs, else through one that is made for that."""
    parsed, namespace = parse_uri(uri), item["metadata"]["namespace"]
    target = f"{item['kind'].lower()}-{item['metadata']['name']}.html"
    where = f"the page is {parsed.path} on PersistentVolumeClaim {parsed.authority} of namespace {namespace}"
    for pod in pods:
        for container, path in _mounted(pod, parsed.authority, parsed.path):
            name = pod["metadata"]["name"]
            command = f"kubectl exec -n {namespace} {name} -c {container} -- cat {path} > {target}"
            return f"{where}; pod {name} mounts it, so this fetches it:\n  {command}"
    name = f"{item['metadata']['name']}-report"
    made = json.dumps(_pod(name, parsed.authority, _image(pods)))
    commands = [
        f"kubectl apply -n {namespace} -f - <<'EOF'\n{made}\nEOF",
        f"kubectl wait -n {namespace} --for=condition=Ready pod/{name}",
        f"kubectl exec -n {namespace} {name} -- cat {FOLDER}/{parsed.path} > {target}",
        f"kubectl delete -n {namespace} --wait=false pod/{name}",
    ]
    return f"{where}; no running pod mounts it, so a pod has to show it:\n" + "\n".join(commands)


def _mounted(pod: Object, claim: str, path: str) -> Iterator[tuple[str, str]]:
    """Containers of a running pod that see a path of the claim, and where."""
    if (pod.get("status") or {}).get("phase") != "Running":
        return
    names = {
        volume["name"]
        for volume in pod["spec"].get("volumes") or ()
        if (volume.get("persistentVolumeClaim") or {}).get("claimName") == claim
    }
    for container in pod["spec"]["containers"]:
        for mount in container.get("volumeMounts") or ():
            if mount["name"] in names and not mount.get("subPath"):
                yield container["name"], f"{mount['mountPath']}/{path}"


def _image(pods: Sequence[Object]) -> str:
    return next((str(one["image"]) for pod in pods for one in pod["spec"]["containers"] if one.get("image")), IMAGE)


def _pod(name: str, claim: str, image: str) -> Object:
    """It reads the claim as the run's own user did, and ends by itself."""
    container = {
        "name": "show",
        "image": image,
        "command": ["sleep", str(SECONDS)],
        "volumeMounts": [{"name": "volume", "mountPath": FOLDER, "readOnly": True}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
    }
    context = {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    spec = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "activeDeadlineSeconds": SECONDS,
        "automountServiceAccountToken": False,
        "securityContext": context,
        "containers": [container],
        "volumes": [{"name": "volume", "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
