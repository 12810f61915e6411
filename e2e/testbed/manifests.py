"""Manifests of upstream's, from the modules that their programs are built from."""

import base64
import json
import shutil
import time
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Any

from testbed.controlplane import ControlPlane
from testbed.programs import sources

Object = dict[str, Any]

OF_A_POD = ("--config", "--leader-elect", "--enable-leader-election")
"""Arguments of the manifests that are right in a pod alone, by their beginnings."""


def kustomized(control_plane: ControlPlane, family: str, module: str, part: str, folder: Path) -> str:
    """JSON of what `part`/default of a module's files comes to; a copy of `part` is left in `folder`."""
    return built(control_plane, copied(family, module, part, folder) / "default")


def copied(family: str, module: str, part: str, folder: Path) -> Path:
    """A copy of `part` of a module's files, in `folder`, that can be written to; modules are read-only."""
    copy = folder / "config"
    shutil.copytree(sources(family, module) / part, copy, copy_function=shutil.copyfile)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return copy


def built(control_plane: ControlPlane, overlay: Path) -> str:
    """JSON of what a folder with a kustomization.yaml comes to."""
    text = control_plane.kubectl("kustomize", str(overlay)).stdout
    read = ("create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-")  # YAML to JSON, nothing else
    return str(control_plane.kubectl(*read, stdin=text).stdout)


def documents(text: str) -> Iterator[Object]:
    """The objects of JSON documents one after another, with the items of lists."""
    decoder, rest = json.JSONDecoder(), text.strip()
    while rest:
        found, end = decoder.raw_decode(rest)
        yield from found["items"] if found["kind"] == "List" else [found]
        rest = rest[end:].strip()


def in_order(items: list[Object]) -> tuple[list[Object], list[Object]]:
    """What others need first: namespaces and kinds."""
    first = ("Namespace", "CustomResourceDefinition")
    return [item for item in items if item["kind"] in first], [item for item in items if item["kind"] not in first]


def install(control_plane: ControlPlane, items: list[Object]) -> None:
    """Apply objects in order. The largest CRDs do not fit into the annotation of a client-side apply."""
    for part in filter(None, in_order(items)):
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": part})
        control_plane.kubectl("apply", "--server-side", "-f", "-", stdin=document)


def await_kinds(control_plane: ControlPlane, seconds: float = 120) -> None:
    """Wait until every CRD is served. Raises TestBedError. `kubectl wait` ends at once on one so new that nothing has
    been said of it yet, so it is asked again."""
    deadline = time.monotonic() + seconds
    wait = ("wait", "--for=condition=Established", "crd", "--all", f"--timeout={seconds:g}s")
    while control_plane.kubectl(*wait, check=time.monotonic() > deadline).returncode:
        time.sleep(0.2)


def remove_webhooks(control_plane: ControlPlane, items: list[Object]) -> None:
    """Delete the webhooks among objects: when their program is gone, they would keep others from being made."""
    for item in items:
        if item["kind"].endswith("WebhookConfiguration"):
            control_plane.kubectl("delete", item["kind"], item["metadata"]["name"], "--wait=false")


def on_loopback(service: Object, port: int, ca: bytes) -> Object:
    """clientConfig of a webhook of `service` whose program listens at `port` of this machine. ca: a PEM."""
    return {"url": f"https://127.0.0.1:{port}{service['path']}", "caBundle": base64.b64encode(ca).decode()}


def for_loopback(items: Iterable[Object], left_out: Container[str], port: int, ca: bytes) -> Iterator[Object]:
    """The manifests but for kinds that only a program in a pod needs; webhooks are called at `port` and trusted by
    `ca`, a PEM."""
    for item in items:
        if item["kind"] in left_out:
            continue
        for hook in item["webhooks"] if item["kind"].endswith("WebhookConfiguration") else ():
            hook["clientConfig"] = on_loopback(hook["clientConfig"]["service"], port, ca)
        yield item


def shipped_arguments(items: Iterable[Object]) -> list[str]:
    """What the container of the Deployment among manifests is given, but for where its configuration is and for the
    election of a leader, which a process alone needs none of."""
    containers = [item["spec"]["template"]["spec"]["containers"][0] for item in items if item["kind"] == "Deployment"]
    given = [argument for container in containers for argument in container.get("args", ())]
    return [each for each in given if not each.startswith(OF_A_POD)]


def settings(api: str, webhook: int, health: int, metrics: int, folder: Path) -> Object:
    """Configuration of a program of Kueue's and JobSet's kind on loopback, by ports; its certificate is in `folder`."""
    return {
        "apiVersion": api,
        "kind": "Configuration",
        "internalCertManagement": {"enable": False},
        "leaderElection": {"leaderElect": False},
        "webhook": {"host": "127.0.0.1", "port": webhook, "certDir": str(folder)},
        "health": {"healthProbeBindAddress": f"127.0.0.1:{health}"},
        "metrics": {"bindAddress": f"127.0.0.1:{metrics}"},
    }
