"""Beds of these tests are in a folder of their own, out of sight of real ones."""

import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def own_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Temporary files of this test, beds included, are under this folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path
