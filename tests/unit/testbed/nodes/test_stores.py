import os
from pathlib import Path

import pytest
from testbed.nodes import stores
from testbed.oci import write_program_image


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A folder as a stopped containerd leaves it."""
    files = {
        "io.containerd.content.v1.content/blobs/sha256/abc": "blob",
        "io.containerd.metadata.v1.bolt/meta.db": "images",
        "io.containerd.snapshotter.v1.overlayfs/metadata.db": "snapshots",
        "io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs/usr/bin/python3": "program",
    }
    for name, content in files.items():
        path = tmp_path / "store" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (tmp_path / "store/io.containerd.snapshotter.v1.overlayfs/snapshots/1/work").mkdir()
    return tmp_path / "store"


def test_a_copy_shares_what_never_changes_and_nothing_else(store: Path, tmp_path: Path) -> None:
    stores.clone(store, tmp_path / "copy")
    originals = [path for path in store.rglob("*") if path.is_file()]
    copies = {path: tmp_path / "copy" / path.relative_to(store) for path in originals}
    assert all(copy.read_text() == path.read_text() for path, copy in copies.items())
    shared = {path.name for path, copy in copies.items() if copy.samefile(path)}
    assert shared == {"abc", "python3"}
    assert (tmp_path / "copy/io.containerd.snapshotter.v1.overlayfs/snapshots/1/work").is_dir()


def test_the_same_images_in_any_order_are_one_template() -> None:
    assert stores.store_key({"a": "1", "b": "2"}) == stores.store_key({"b": "2", "a": "1"})
    assert stores.store_key({"a": "1"}) != stores.store_key({"a": "2"})


def test_an_archive_is_known_by_its_digest(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("1")
    (tmp_path / "two").write_text("2")
    first = write_program_image(tmp_path / "first.tar", "localhost/first:1", tmp_path / "one")
    second = write_program_image(tmp_path / "second.tar", "localhost/second:1", tmp_path / "two")
    found = stores.identities([first, second])
    assert found.keys() == {"localhost/first:1", "localhost/second:1"}
    assert len(set(found.values())) == 2


def test_a_removal_that_is_interrupted_leaves_no_template_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(stores.shutil, "rmtree", lambda path, ignore_errors=False: None)
    for number in range(stores.KEPT + 1):
        template = stores.templates() / f"{number}"
        template.mkdir(parents=True)
        os.utime(template, (number, number))
    stores._prune()
    assert sorted(path.name for path in stores.templates().iterdir()) == ["1", "2", "3", "4"]
