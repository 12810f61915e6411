import os
import time
from pathlib import Path

import pytest
from swiftlet_trainer.storage import transfer
from swiftlet_trainer.storage.transfer import TRIES, TransferFailed, download

CONTENT = os.urandom(1000)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "PART", 300)


def test_parts_make_the_file(tmp_path: Path) -> None:
    download(lambda begin, end: CONTENT[begin:end], len(CONTENT), tmp_path / "a/b")
    assert (tmp_path / "a/b").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"], "nothing is left beside it"


def test_an_empty_file_is_one(tmp_path: Path) -> None:
    download(lambda begin, end: b"", 0, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b""


def test_a_part_that_fails_or_is_cut_is_asked_for_again(tmp_path: Path) -> None:
    asked: list[int] = []

    def read(begin: int, end: int) -> bytes:
        asked.append(begin)
        if asked.count(begin) == 1:
            raise TransferFailed("gone")
        return CONTENT[begin:end] if asked.count(begin) > 2 else CONTENT[begin : end - 1]

    download(read, len(CONTENT), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert {asked.count(begin) for begin in (0, 300, 600, 900)} == {3}


def test_a_storage_that_lies_about_the_length_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(TransferFailed, match=f"bytes 0 to 300: 299 bytes came instead of 300, {TRIES} times"):
        download(lambda begin, end: CONTENT[begin : end - 1], len(CONTENT), tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_disk_that_takes_a_part_of_what_is_written_is_given_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda descriptor, data, begin: write(descriptor, data[:70], begin))
    download(lambda begin, end: CONTENT[begin:end], len(CONTENT), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_after_a_part_that_failed_no_other_one_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "PART", 10)
    asked: list[int] = []

    def read(begin: int, end: int) -> bytes:
        asked.append(begin)
        if begin == 0:
            raise TransferFailed("silent")
        time.sleep(0.01)
        return CONTENT[begin:end]

    with pytest.raises(TransferFailed, match="silent"):
        download(read, len(CONTENT), tmp_path / "a")
    assert len(asked) < TRIES + 50, "of 99 others"
