import os
from pathlib import Path

import pytest
from testbed import system
from testbed.errors import MissingProgramError


def test_packages_are_named_once_each_and_only_where_something_is_missing() -> None:
    there = {"ip": "/usr/sbin/ip"}.get
    assert system.missing_packages(("ip", "nsenter", "unshare", "runc"), there) == ["runc", "util-linux"]


def test_every_program_has_its_package() -> None:
    programs = {*system.NODE_PROGRAMS, *system.IMAGE_PROGRAMS, *system.ARGO_CD_PROGRAMS}
    assert programs == system.PACKAGES.keys()


def test_programs_are_found_where_only_root_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "runc").touch(mode=0o755)
    monkeypatch.setattr(system, "SEARCH", str(tmp_path))
    monkeypatch.setenv("PATH", "/nonexistent")
    assert system.find("runc") == str(tmp_path / "runc")


def test_who_may_not_install_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(system, "SEARCH", "")
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(MissingProgramError, match="apt-get install --no-install-recommends buildah"):
        system.ensure("buildah")
