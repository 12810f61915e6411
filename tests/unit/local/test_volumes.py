"""Volumes and the tree of a container."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from swiftlet.local.volumes import SHARED_MEMORY, MountError, VolumeHost, mount, provide_volumes, release_shared_memory

OBJECTS: dict[tuple[str, str], dict[str, Any]] = {
    ("ConfigMap", "c"): {
        "kind": "ConfigMap",
        "metadata": {"name": "c"},
        "data": {"a.txt": "text"},
        "binaryData": {"b.bin": "AAEC"},
    },
    ("Secret", "s"): {"kind": "Secret", "metadata": {"name": "s"}, "data": {"token": "aGlkZGVu"}},
}


@pytest.fixture
def host(tmp_path: Path) -> VolumeHost:
    mapped = {"mirror": tmp_path / "mirror"}
    uid = f"test-{tmp_path.name}-{id(tmp_path)}"
    pod = {"metadata": {"name": "p", "namespace": "default", "uid": uid, "annotations": {"swiftlet.dev/a": "{}"}}}
    return VolumeHost(pod, tmp_path / "pod", tmp_path / "volumes", lambda *key: OBJECTS.get(key), mapped)


def of(host: VolumeHost, *volumes: dict[str, Any]) -> VolumeHost:
    """The host of a pod with these volumes."""
    return replace(host, pod={**host.pod, "spec": {"volumes": list(volumes)}})


def provide(host: VolumeHost, **source: Any) -> Path:
    return provide_volumes(of(host, {"name": "v", **source}))["v"]


def test_config_map_keys_are_read_only_files(host: VolumeHost) -> None:
    folder = provide(host, configMap={"name": "c"})
    assert (folder / "a.txt").read_text() == "text" and (folder / "b.bin").read_bytes() == b"\0\1\2"
    assert (folder / "a.txt").stat().st_mode & 0o777 == 0o444


def test_items_choose_keys_and_paths(host: VolumeHost) -> None:
    folder = provide(host, configMap={"name": "c", "items": [{"key": "a.txt", "path": "deep/er.txt"}]})
    assert [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()] == ["deep/er.txt"]


def test_fields_of_the_pod_are_read_only_files(host: VolumeHost) -> None:
    paths = {"a.json": "metadata.annotations['swiftlet.dev/a']", "deep/gone": "metadata.annotations['gone']"}
    items = [{"path": path, "fieldRef": {"fieldPath": field}} for path, field in paths.items()]
    folder = provide(host, downwardAPI={"items": items})
    assert [(folder / path).read_text() for path in paths] == ["{}", ""]
    assert (folder / "a.json").stat().st_mode & 0o777 == 0o444


def test_secrets_are_for_their_owner_only(host: VolumeHost) -> None:
    file = provide(host, secret={"secretName": "s"}) / "token"
    assert file.read_text() == "hidden" and file.stat().st_mode & 0o777 == 0o400


def test_an_optional_config_map_may_be_missing(host: VolumeHost) -> None:
    assert list(provide(host, configMap={"name": "gone", "optional": True}).iterdir()) == []


def test_memory_volumes_lie_in_shared_memory_and_are_given_back(host: VolumeHost) -> None:
    volume = {"name": "v", "emptyDir": {"medium": "Memory"}}
    folder = provide_volumes(of(host, volume))["v"]
    assert folder.is_relative_to(SHARED_MEMORY) and folder.is_dir()
    release_shared_memory(host.pod)
    assert not folder.exists() and not folder.parent.exists()


def test_claims_are_folders_of_the_state_or_mapped(host: VolumeHost) -> None:
    assert provide(host, persistentVolumeClaim={"claimName": "data"}) == host.claims / "data"
    assert provide(host, persistentVolumeClaim={"claimName": "mirror"}) == host.mapped_claims["mirror"]


def test_every_problem_is_told_at_once(host: VolumeHost, tmp_path: Path) -> None:
    volumes = [
        {"name": "one", "configMap": {"name": "gone"}},
        {"name": "two", "configMap": {"name": "c", "items": [{"key": "z", "path": "z"}]}},
        {"name": "three", "hostPath": {"path": str(tmp_path / "gone"), "type": "Directory"}},
        {"name": "four", "nfs": {"server": "x"}},
        {"name": "five", "downwardAPI": {"items": [{"path": "f", "fieldRef": {"fieldPath": "spec.gone"}}]}},
        {"name": "six", "downwardAPI": {"items": [{"path": "f", "resourceFieldRef": {"resource": "limits.cpu"}}]}},
    ]
    with pytest.raises(MountError) as error:
        provide_volumes(of(host, *volumes))
    words = str(error.value)
    assert "volume one: ConfigMap gone does not exist; create it" in words
    assert "volume two: ConfigMap c has no key z; it has a.txt, b.bin" in words
    assert f"volume three: {tmp_path / 'gone'} is not a folder on this machine" in words
    assert "volume four: nfs is not known here" in words
    assert "volume five: fieldPath spec.gone is not known" in words
    assert "volume six: f: resourceFieldRef is not known here; use fieldRef" in words


def test_mounts_become_links_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "data/sub").mkdir(parents=True)
    (tmp_path / "file.txt").write_text("f")
    volumes = {"data": tmp_path / "data", "file": tmp_path / "file.txt"}
    container = {
        "volumeMounts": [
            {"name": "data", "mountPath": "/swiftlet/data/0"},
            {"name": "data", "mountPath": "/sub", "subPath": "sub"},
            {"name": "file", "mountPath": "/etc/file.txt"},
        ]
    }
    root = tmp_path / "root"
    mount(container, root, volumes)
    (root / "swiftlet/data/0/written").write_text("x")
    assert (tmp_path / "data/written").read_text() == "x"
    assert (root / "sub").resolve() == tmp_path / "data/sub"
    assert (root / "etc/file.txt").read_text() == "f"
    assert (root / "dev/termination-log").read_bytes() == b""
    mount(container, root, volumes)
    assert (tmp_path / "data/written").exists(), "building the tree again does not follow its links"


@pytest.mark.parametrize(
    ("mounts", "words"),
    [
        ([{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/a/b"}], "lies inside the mount /a"),
        ([{"name": "w", "mountPath": "/a"}], "the pod has no volume w"),
        ([{"name": "v", "mountPath": "/a", "subPath": "../x"}], "leaves the volume"),
        ([{"name": "v", "mountPath": "/a", "subPath": "out/x"}], "leaves the volume by a link"),
    ],
)
def test_mounts_that_links_cannot_give_are_refused(tmp_path: Path, mounts: list[dict[str, Any]], words: str) -> None:
    (tmp_path / "out").symlink_to(Path.home())
    with pytest.raises(MountError, match=words):
        mount({"volumeMounts": mounts}, tmp_path / "root", {"v": tmp_path})
