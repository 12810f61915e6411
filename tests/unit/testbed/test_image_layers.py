import base64
import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from testbed.errors import TestBedError
from testbed.image_layers import chain_ids, stored_image, tar_file
from testbed.oci import blob_path, contents, digest_of


class Storage:
    """A storage with layers as buildah writes them: files, and the rest of each layer's tar file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.records: list[dict[str, Any]] = [{"id": "container", "parent": None}]
        (root / "overlay-layers").mkdir()

    def add(self, id_: str, files: dict[str, bytes], parent: str | None = None) -> bytes:
        """Add a layer; its tar file."""
        buffer, entries = io.BytesIO(), []
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                header = member.tobuf()
                begin = buffer.tell()
                tar.addfile(member, io.BytesIO(content))
                padding = buffer.getvalue()[begin + len(header) + len(content) :]
                entries += [
                    self.segment(header),
                    {"type": 1, "name": name, "size": len(content)},
                    self.segment(padding),
                ]
                path = self.root / "overlay" / id_ / "diff" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            end = buffer.tell()
        entries.append(self.segment(buffer.getvalue()[end:]))
        lines = "".join(json.dumps(entry) + "\n" for entry in entries)
        (self.root / "overlay-layers" / f"{id_}.tar-split.gz").write_bytes(gzip.compress(lines.encode()))
        whole = buffer.getvalue()
        self.records.append({"id": id_, "parent": parent, "diff-digest": digest_of(whole), "diff-size": len(whole)})
        (self.root / "overlay-layers" / "layers.json").write_text(json.dumps(self.records))
        return whole

    @staticmethod
    def segment(content: bytes) -> dict[str, Any]:
        """Bytes of the tar file that are no file's."""
        return {"type": 2, "payload": base64.b64encode(content).decode()}


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """An empty storage."""
    (tmp_path / "storage").mkdir()
    return Storage(tmp_path / "storage")


def config(*layers: bytes) -> bytes:
    """Configuration of an image of these layers."""
    return json.dumps({"rootfs": {"diff_ids": [digest_of(layer) for layer in layers]}}).encode()


def test_a_layer_is_read_byte_for_byte(storage: Storage) -> None:
    whole = storage.add("a", {"etc/name": b"x" * 700, "empty": b"", "large": bytes(3 * 2**20)})
    assert b"".join(tar_file(storage.root, "a")) == whole


def test_an_image_is_written_with_all_its_layers(storage: Storage, tmp_path: Path) -> None:
    base = storage.add("a", {"base": b"1"})
    top = storage.add("b", {"top": b"2" * 5000}, parent="a")
    with (tmp_path / "image.tar").open("wb") as out:
        stored_image(storage.root, config(base, top)).write(out, "localhost/image:1")
    assert contents(tmp_path / "image.tar").keys() == {"localhost/image:1"}
    with tarfile.open(tmp_path / "image.tar") as tar:
        for layer in (base, top):
            assert tar.extractfile(blob_path(digest_of(layer))).read() == layer  # type: ignore[union-attr]


def test_layers_that_are_there_already_are_left_out(storage: Storage, tmp_path: Path) -> None:
    base = storage.add("a", {"base": b"1"})
    top = storage.add("b", {"top": b"2"}, parent="a")
    with (tmp_path / "image.tar").open("wb") as out:
        stored_image(storage.root, config(base, top)).write(out, "localhost/image:1", chain_ids([digest_of(base)]))
    with tarfile.open(tmp_path / "image.tar") as tar:
        assert blob_path(digest_of(top)) in tar.getnames()
        assert blob_path(digest_of(base)) not in tar.getnames()


def test_a_layer_counts_only_on_top_of_the_right_ones(storage: Storage) -> None:
    base = storage.add("a", {"base": b"1"})
    other = storage.add("b", {"other": b"2"})
    top = storage.add("c", {"top": b"3"}, parent="a")
    assert [layer.id for layer in stored_image(storage.root, config(base, top)).layers] == ["a", "c"]
    with pytest.raises(TestBedError, match="lacks layers"):
        stored_image(storage.root, config(other, top))


def test_a_chain_id_is_that_of_the_specification() -> None:
    one, two = "sha256:" + "1" * 64, "sha256:" + "2" * 64
    assert chain_ids([one, two]) == [one, digest_of(f"{one} {two}".encode())]
