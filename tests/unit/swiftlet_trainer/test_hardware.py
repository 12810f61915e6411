"""What this machine computes with."""

import os
from pathlib import Path

import psutil
import pytest
from swiftlet_trainer.hardware import detect_hardware, has_c_compiler


def test_this_machine() -> None:
    found = detect_hardware(use_gpu=False, processes=1)
    assert 1 <= found.physical_cores <= len(os.sched_getaffinity(0)) <= (psutil.cpu_count() or 1)


@pytest.mark.parametrize(("name", "found"), [("gcc", True), ("clang", True), ("tcc", False)])
def test_compilers_that_triton_takes(name: str, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda *_: str(tmp_path))
    (tmp_path / name).touch(mode=0o755)
    (tmp_path / "Python.h").touch()
    has_c_compiler.cache_clear()
    try:
        assert has_c_compiler() is found
        monkeypatch.setenv("CC", "/opt/cc")
        has_c_compiler.cache_clear()
        assert has_c_compiler()
        (tmp_path / "Python.h").unlink()
        has_c_compiler.cache_clear()
        assert not has_c_compiler(), "nothing to compile against"
    finally:
        has_c_compiler.cache_clear()
