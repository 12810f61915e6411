"""Where a build takes its packages from."""

from pathlib import Path

import pytest
from testbed import image_builds


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
