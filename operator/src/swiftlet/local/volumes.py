"""Volumes of a pod on this machine, and the tree that a container sees them in.

A container's root is a folder; each mount is a link in it. Links cannot be read-only: `readOnly` is honoured for
ConfigMaps, Secrets and fields of the pod, whose files carry no write permission, and is a promise of the container
elsewhere.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from swiftlet.local.environment import Lookup, field_value
from swiftlet.local.files import write_atomically
from swiftlet.local.secrets import contents

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108


class MountError(ValueError):
    """A volume cannot be mounted (yet); reason FailedMount."""


@dataclass(frozen=True)
class VolumeHost:
    """Where volumes lie on this machine."""

    pod: dict[str, Any]
    folder: Path
    """Of the pod; emptyDirs and the files of ConfigMaps, Secrets and its fields go below it."""
    claims: Path
    """One folder for each claim."""
    lookup: Lookup
    mapped_claims: dict[str, Path] = field(default_factory=dict)
    """Claims that stand for a folder outside `claims`."""


def provide_volumes(host: VolumeHost) -> dict[str, Path]:
    """Make every volume of the pod; returns the file or folder of each. Raises MountError, all problems at once."""
    found, problems = dict[str, Path](), list[str]()
    for volume in host.pod["spec"].get("volumes") or []:
        source = next((name for name in volume if name in _SOURCES), None)
        try:
            if source is None:
                unknown = ", ".join(name for name in volume if name != "name") or "nothing"
                raise MountError(f"{unknown} is not known here; use {', '.join(_SOURCES)}")
            found[volume["name"]] = _SOURCES[source](volume["name"], volume[source] or {}, host)
        except ValueError as error:
            problems.append(f"volume {volume['name']}: {error}")
    if problems:
        raise MountError("; ".join(problems))
    return found


def release_shared_memory(pod: dict[str, Any]) -> None:
    """Free the memory of the pod's `medium: Memory` volumes; what was in them is lost, as in a cluster."""
    shutil.rmtree(_memory_folder(pod["metadata"]["uid"]), ignore_errors=True)


def mount(container: dict[str, Any], root: Path, volumes: dict[str, Path]) -> None:
    """Build the tree of one container: a link below `root` for each mount, and an empty termination log.

    Raises MountError for a mount of an unknown volume and for one inside another mount, which links cannot give.
    """
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    links: list[PurePosixPath] = []
    for entry in sorted(container.get("volumeMounts") or [], key=lambda entry: str(entry["mountPath"])):
        place = PurePosixPath(entry["mountPath"]).relative_to("/")
        outer = next((link for link in links if place.is_relative_to(link)), None)
        if outer is not None:
            raise MountError(f"mountPath /{place} lies inside the mount /{outer}; local pods need them side by side")
        if entry["name"] not in volumes:
            raise MountError(f"mountPath /{place}: the pod has no volume {entry['name']}")
        target = volumes[entry["name"]]
        if entry.get("subPath"):
            target = _below(target, entry["subPath"])
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).symlink_to(target)
        links.append(place)
    log = termination_log(container, root)
    if not log.is_symlink():
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")


def termination_log(container: dict[str, Any], root: Path) -> Path:
    """Where the container leaves its last words."""
    return root / PurePosixPath(container.get("terminationMessagePath") or "/dev/termination-log").relative_to("/")


def _below(volume: Path, sub_path: str) -> Path:
    if ".." in PurePosixPath(sub_path).parts or sub_path.startswith("/"):
        raise MountError(f"subPath {sub_path} leaves the volume; use a path below it")
    target = volume / sub_path
    if not target.resolve().is_relative_to(volume.resolve()):
        raise MountError(f"subPath {sub_path} leaves the volume by a link; use a path below it")
    target.mkdir(parents=True, exist_ok=True)
    return target


def _empty_dir(name: str, source: dict[str, Any], host: VolumeHost) -> Path:
    memory = source.get("medium") == "Memory"
    folder = (_memory_folder(host.pod["metadata"]["uid"]) if memory else host.folder / "volumes") / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _memory_folder(uid: str) -> Path:
    return SHARED_MEMORY / f"swiftlet-{os.getuid()}" / uid


def _claim(name: str, source: dict[str, Any], host: VolumeHost) -> Path:
    claim = source["claimName"]
    folder = host.mapped_claims.get(claim) or host.claims / claim
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _host_path(name: str, source: dict[str, Any], host: VolumeHost) -> Path:
    path, kind = Path(source["path"]), source.get("type") or ""
    if kind == "DirectoryOrCreate":
        path.mkdir(parents=True, exist_ok=True)
    if kind == "FileOrCreate":
        path.touch(exist_ok=True)
    exists: dict[str, Callable[[], bool]] = {"Directory": path.is_dir, "File": path.is_file, "": lambda: True}
    if not exists.get(kind.removesuffix("OrCreate"), path.exists)():
        wanted = {"Directory": "folder", "File": "file"}.get(kind, "path")
        raise MountError(f"{path} is not a {wanted} on this machine; put it there, or correct the path")
    return path


def _fields(name: str, source: dict[str, Any], host: VolumeHost) -> Path:
    """Fields of the pod as files."""
    folder = host.folder / "volumes" / name
    folder.mkdir(parents=True, exist_ok=True)
    for item in source.get("items") or []:
        if "fieldRef" not in item:
            raise MountError(f"{item['path']}: resourceFieldRef is not known here; use fieldRef")
        content = field_value(host.pod, item["fieldRef"]["fieldPath"]).encode()
        write_atomically(folder / item["path"], content, item.get("mode", 0o444))
    return folder


def _keys(kind: str, reference: str) -> Callable[[str, dict[str, Any], VolumeHost], Path]:
    """Provider of a volume whose files are the keys of a ConfigMap or Secret."""

    def provide(name: str, source: dict[str, Any], host: VolumeHost) -> Path:
        found = host.lookup(kind, source[reference])
        folder = host.folder / "volumes" / name
        folder.mkdir(parents=True, exist_ok=True)
        if found is None and not source.get("optional"):
            raise MountError(f"{kind} {source[reference]} does not exist; create it")
        values = contents(found) if found else {}
        items = source.get("items") or [{"key": key, "path": key} for key in values]
        missing = [item["key"] for item in items if item["key"] not in values]
        if missing and not source.get("optional"):
            listed = ", ".join(sorted(values)) or "none"
            raise MountError(f"{kind} {source[reference]} has no key {', '.join(missing)}; it has {listed}")
        default = 0o400 if kind == "Secret" else 0o444
        for item in items:
            if item["key"] in values:
                write_atomically(folder / item["path"], values[item["key"]], item.get("mode", default))
        return folder

    return provide


_SOURCES: dict[str, Callable[[str, dict[str, Any], VolumeHost], Path]] = {
    "configMap": _keys("ConfigMap", "name"),
    "downwardAPI": _fields,
    "secret": _keys("Secret", "secretName"),
    "emptyDir": _empty_dir,
    "persistentVolumeClaim": _claim,
    "hostPath": _host_path,
}
