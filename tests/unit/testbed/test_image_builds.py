"""Where a build takes its packages from."""

from pathlib import Path

import pytest
from testbed import image_builds


def test_the_context_is_the_same_in_every_checkout(tmp_path: Path) -> None:
    def build(name: str, mode: int) -> dict[str, tuple[bytes | None, int]]:
        checkout = tmp_path / name
        for path in (
            "Dockerfile", "README.md", "secret", "operator/src/a.py", "operator/__pycache__/a.pyc"
        ):  # fmt: skip
            (checkout / path).parent.mkdir(parents=True, exist_ok=True)
            (checkout / path).write_text(path)
        (checkout / "operator/src/a.py").chmod(mode)
        (checkout / ".dockerignore").write_text("*\n!README.md\n!operator\n")
        folder = image_builds.context(checkout, tmp_path / f"{name}-context")
        return {
            str(path.relative_to(folder)): (
                path.read_bytes() if path.is_file() else None, path.stat().st_mode,
            )
            for path in folder.rglob("*")
        }  # fmt: skip

    for name in ("one-context", "other-context"):
        (tmp_path / name).mkdir()
    one = build("one", 0o664)
    assert one == build("other", 0o600)
    assert set(one) == {".dockerignore", "README.md", "operator", "operator/src", "operator/src/a.py"}


def test_uv_cache_is_where_uv_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    for name in ("UV_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert image_builds.uv_cache() == Path("/home/ada/.cache/uv")
    monkeypatch.setenv("XDG_CACHE_HOME", "/fast/xdg")
    assert image_builds.uv_cache() == Path("/fast/xdg/uv")
    monkeypatch.setenv("UV_CACHE_DIR", "/fast/uv")
    assert image_builds.uv_cache() == Path("/fast/uv")


def test_the_index_of_this_machine_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in image_builds.INDEX_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert image_builds.index() == {}
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    assert image_builds.index() == {"UV_DEFAULT_INDEX": "https://pip.example/simple"}
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example/simple")
    assert image_builds.index() == {"UV_DEFAULT_INDEX": "https://uv.example/simple"}
