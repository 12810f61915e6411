"""Copies of checkpoints in object storage."""

import json
from pathlib import Path

import pytest
from swiftlet_trainer.checkpoints.copies import CheckpointCopies
from swiftlet_trainer.checkpoints.store import MARKER, CheckpointStore
from swiftlet_trainer.failures import InvalidInput
from testbed.folders import DiskFolder


def store_at(folder: Path, *steps: int) -> CheckpointStore:
    store = CheckpointStore(folder, keep=2)
    for step in steps:
        partial = store.begin(step, needed=1)
        (partial / "model.safetensors").write_bytes(b"weights %d" % step)
        (partial / "part").mkdir()
        (partial / "part" / "optimizer.pt").write_bytes(b"moments")
        store.commit(step, world_size=2)
    return store


@pytest.fixture
def folder(tmp_path: Path) -> DiskFolder:
    return DiskFolder(tmp_path / "bucket")


def copied(tmp_path: Path, folder: DiskFolder, *steps: int, keep: int = 2) -> CheckpointCopies:
    store = store_at(tmp_path / "volume", *steps)
    copies = CheckpointCopies(store, folder, keep)
    for step in store.steps():
        copies.copy(step)
    return copies


def test_the_marker_goes_last_and_the_oldest_copies_go(tmp_path: Path, folder: DiskFolder) -> None:
    copies = copied(tmp_path, folder, 10, 20)
    place = "step-00000020"
    assert folder.uploads[3:] == [f"{place}/model.safetensors", f"{place}/part/optimizer.pt", f"{place}/{MARKER}"]
    assert copies.steps() == [10, 20]
    copied(tmp_path, folder, 30, keep=1)
    assert {name.partition("/")[0] for name in folder.names()} == {"step-00000030"}


def test_an_empty_volume_gets_the_newest(tmp_path: Path, folder: DiskFolder) -> None:
    copied(tmp_path, folder, 10, 20)
    other = store_at(tmp_path / "other")
    assert CheckpointCopies(other, folder, 2).restore() == (20, [])
    assert other.newest() == (20, [])
    assert (other.path(20) / "part/optimizer.pt").read_bytes() == b"moments"
    assert CheckpointCopies(other, folder, 2).restore() == (0, []), "it is there now"


def test_a_volume_that_is_further_is_left_alone(tmp_path: Path, folder: DiskFolder) -> None:
    copied(tmp_path, folder, 10)
    other = store_at(tmp_path / "other", 15)
    assert CheckpointCopies(other, folder, 2).restore() == (0, [])
    assert other.steps() == [15]


def test_half_a_copy_is_none(tmp_path: Path, folder: DiskFolder) -> None:
    copied(tmp_path, folder, 10, 20)
    folder.remove(f"step-00000020/{MARKER}")
    assert CheckpointCopies(store_at(tmp_path / "other"), folder, 2).restore() == (10, [])


def marked(folder: DiskFolder, step: str, **changes: object) -> None:
    file = folder.root / step / MARKER
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_what_is_not_what_was_written_is_set_aside(tmp_path: Path, folder: DiskFolder) -> None:
    copied(tmp_path, folder, 10, 20)
    (folder.root / "step-00000020/model.safetensors").write_bytes(b"others 20")
    other = store_at(tmp_path / "other")
    step, problems = CheckpointCopies(other, folder, 2).restore()
    assert step == 10 and problems == ["copy step-00000020: its bytes are not those that were written"]
    assert other.steps() == [10]


def test_a_marker_cannot_name_files_elsewhere(tmp_path: Path, folder: DiskFolder) -> None:
    copied(tmp_path, folder, 10, 20)
    marked(folder, "step-00000020", files={"../../evil": {"size": 1, "sha256": "x"}})
    step, problems = CheckpointCopies(store_at(tmp_path / "other"), folder, 2).restore()
    assert step == 10 and "lists ../../evil" in problems[0]
    (folder.root / "step-00000010" / MARKER).write_text("{}")
    step, problems = CheckpointCopies(store_at(tmp_path / "third"), folder, 2).restore()
    assert step == 0 and "step-00000010/complete.json is no marker" in problems[1]


def test_a_checkpoint_that_is_gone_is_no_error_of_the_storage(tmp_path: Path, folder: DiskFolder) -> None:
    with pytest.raises(FileNotFoundError):
        CheckpointCopies(store_at(tmp_path / "volume"), folder, 2).copy(10)


def test_a_broken_newer_copy_takes_nobodys_place(tmp_path: Path, folder: DiskFolder) -> None:
    copied(tmp_path, folder, 20)
    (folder.root / "step-00000020/model.safetensors").write_bytes(b"others 20")
    CheckpointCopies(store_at(tmp_path / "other", 10), folder, keep=1).copy(10)
    assert CheckpointCopies(store_at(tmp_path / "third"), folder, keep=1).restore()[0] == 10


@pytest.mark.parametrize("name", ["/proc/self/environ", "../../key", "model.safetensors"])
def test_what_lies_beside_a_checkpoint_is_not_copied(tmp_path: Path, folder: DiskFolder, name: str) -> None:
    store = store_at(tmp_path / "volume", 10)
    (tmp_path / "key").write_text("secret")
    (store.path(10) / "model.safetensors").unlink()
    (store.path(10) / "model.safetensors").symlink_to(tmp_path / "key")
    marker = store.path(10) / MARKER
    files = {name: {"size": 6, "sha256": "x"}}
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "files": files}))
    with pytest.raises(InvalidInput, match="which is no file of it"):
        CheckpointCopies(store, folder, 2).copy(10)
    assert not folder.names()
