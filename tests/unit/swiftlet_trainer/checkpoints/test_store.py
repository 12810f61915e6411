"""Checkpoints on disk."""

import json
import os
import shutil
from pathlib import Path

import pytest
from swiftlet_trainer.checkpoints.store import MARKER, CheckpointStore, DiskFull, is_disk_full, read_marker


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path / "checkpoints", keep=2)


def save(store: CheckpointStore, step: int) -> Path:
    partial = store.begin(step, needed=10)
    (partial / "model.safetensors").write_bytes(b"weights %d" % step)
    (partial / "part").mkdir()
    (partial / "part" / "optimizer.pt").write_bytes(b"moments")
    return store.commit(step, world_size=2)


def test_newest_two_are_kept(store: CheckpointStore) -> None:
    assert store.newest() == (0, [])
    for step in (10, 20, 30):
        save(store, step)
    assert store.steps() == [20, 30]
    assert store.newest() == (30, [])
    assert sorted(path.name for path in store.folder.iterdir()) == ["step-00000020", "step-00000030"]
    assert read_marker(store.path(30)).world_size == 2
    assert set(read_marker(store.path(30)).files) == {"model.safetensors", "part/optimizer.pt"}


def test_a_step_can_be_saved_again(store: CheckpointStore) -> None:
    save(store, 10)
    assert save(store, 10) == store.path(10)
    assert store.newest() == (10, [])


def test_half_written_ones_are_ignored_and_removed(store: CheckpointStore) -> None:
    save(store, 10)
    (store.begin(20, 0) / "model.safetensors").write_bytes(b"half")
    shutil.copytree(store.path(10), store.path(30))
    (store.path(30) / MARKER).unlink()  # a removal that was cut short
    assert store.newest() == (10, [])
    assert sorted(store.clean()) == [".partial-step-00000020", "step-00000030"]
    assert [path.name for path in store.folder.iterdir()] == ["step-00000010"]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors: missing"),
        (lambda folder: os.truncate(folder / "model.safetensors", 3), "3 bytes, 10 were written"),
        (lambda folder: (folder / "part" / "optimizer.pt").write_bytes(b"MOMENTS"), "not those that were written"),
        (lambda folder: (folder / MARKER).write_text("{"), "complete.json: cannot be read"),
    ],
)
def test_a_damaged_one_is_told_and_the_one_before_it_taken(store: CheckpointStore, damage: object, words: str) -> None:
    save(store, 10)
    damage(save(store, 20))  # type: ignore[operator]
    step, problems = store.newest()
    assert step == 10
    assert len(problems) == 1 and words in problems[0]


def test_what_does_not_fit_is_refused_before_anything_is_written(store: CheckpointStore) -> None:
    save(store, 10)
    with pytest.raises(DiskFull) as caught:
        store.begin(20, needed=10**18)
    message = str(caught.value)
    assert str(store.folder) in message
    assert "needs 1000000000000000000 bytes" in message and "are free" in message
    assert store.newest() == (10, [])
    assert not store.partial(20).exists()


def test_abandoned_ones_leave_nothing(store: CheckpointStore) -> None:
    (store.begin(10, 0) / "x").write_bytes(b"x")
    store.abandon(10)
    assert list(store.folder.iterdir()) == []


def test_size_is_that_of_the_files(store: CheckpointStore) -> None:
    folder = save(store, 10)
    assert store.size(10) == 10 + 7 + (folder / MARKER).stat().st_size
    assert json.loads((folder / MARKER).read_text())["step"] == 10


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(28, "No space left on device"), True),
        (RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"), True),
        (Exception("Error while serializing: I/O error: No space left on device (os error 28)"), True),
        (OSError(13, "Permission denied"), False),
        (ValueError("shape"), False),
    ],
)
def test_libraries_say_disk_full_in_their_own_words(error: Exception, full: bool) -> None:
    assert is_disk_full(error) is full


def test_a_broken_newer_checkpoint_takes_nobodys_place(store: CheckpointStore) -> None:
    for step in (90, 100):
        save(store, step)
        (store.path(step) / "model.safetensors").write_bytes(b"rotten")
    save(store, 10)
    assert store.newest()[0] == 10
    save(store, 20)
    save(store, 30)
    assert store.newest()[0] == 30
    assert store.steps() == [20, 30, 90, 100]
