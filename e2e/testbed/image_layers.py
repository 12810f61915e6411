"""Layers of an image straight from buildah's storage, so that only those that are wanted are read, and none is copied.

`buildah push` would write all of them to the disk, a minute for the trainer's image, to move one line of code.
The storage keeps for each layer its files and, in tar-split's format, everything of its tar file that is not in them.
Sources: github.com/containers/storage (overlay-layers/layers.json), github.com/vbatts/tar-split (tar/storage).
"""

import base64
import gzip
import io
import json
import tarfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from testbed.errors import TestBedError
from testbed.oci import LAYER, blob_path, descriptor, digest_of, image_index, image_manifest

CHUNK = 2**20
SEGMENT, FILE = 2, 1
"""Types of tar-split's entries: bytes as they are; a file's content, to be read from the file."""


@dataclass(frozen=True)
class Layer:
    """A layer in the storage."""

    id: str
    parent: str | None
    digest: str
    """Of its tar file, not compressed."""
    size: int
    """Of its tar file, in bytes."""


@dataclass(frozen=True)
class Image:
    """An image in the storage."""

    storage: Path
    config: bytes
    layers: tuple[Layer, ...]
    """The base first."""

    def write(self, out: IO[bytes], name: str, unpacked: Collection[str] = ()) -> None:
        """Write it as an OCI archive called `name`, without layers whose chain id is among `unpacked`."""
        manifest = image_manifest(self.config, [descriptor(LAYER, layer.digest, layer.size) for layer in self.layers])
        documents = [self.config, manifest]
        with tarfile.open(fileobj=out, mode="w|", bufsize=CHUNK) as tar:
            for path, content in image_index(name, manifest).items():
                _add(tar, path, len(content), io.BytesIO(content))
            for content in documents:
                _add(tar, blob_path(digest_of(content)), len(content), io.BytesIO(content))
            for layer, chain in zip(self.layers, chain_ids([layer.digest for layer in self.layers]), strict=True):
                if chain not in unpacked:
                    stream = io.BufferedReader(_Stream(tar_file(self.storage, layer.id)), CHUNK)
                    _add(tar, blob_path(layer.digest), layer.size, stream)


def stored_image(storage: Path, config: bytes) -> Image:
    """The image of a configuration. Raises TestBedError when the storage lacks a layer of it."""
    wanted: list[str] = json.loads(config)["rootfs"]["diff_ids"]
    by_chain = {}
    for layers in _lines(json.loads((storage / "overlay-layers" / "layers.json").read_text())):
        by_chain[chain_ids([layer.digest for layer in layers])[-1]] = layers
    try:
        return Image(storage, config, tuple(by_chain[chain_ids(wanted)[-1]]))
    except KeyError as error:
        raise TestBedError(f"{storage} lacks layers of the image: build it anew (`buildah rmi`, then build)") from error


def chain_ids(digests: Sequence[str]) -> list[str]:
    """Name of each layer together with all below it. Source: opencontainers image-spec, config.md, Layer ChainID."""
    chains: list[str] = []
    for digest in digests:
        chains.append(digest_of(f"{chains[-1]} {digest}".encode()) if chains else digest)
    return chains


def tar_file(storage: Path, layer: str) -> Iterator[bytes]:
    """The tar file of a layer, byte for byte, in pieces."""
    files = storage / "overlay" / layer / "diff"
    with gzip.open(storage / "overlay-layers" / f"{layer}.tar-split.gz") as entries:
        for line in entries:
            entry = json.loads(line)
            if entry["type"] == SEGMENT:
                yield base64.b64decode(entry["payload"])
            elif entry["type"] == FILE and entry.get("size"):
                yield from _content(files / _name(entry))


def _name(entry: dict[str, Any]) -> str:
    """Name of a file; one that is no UTF-8 comes as bytes."""
    if raw := entry.get("name_raw"):
        return base64.b64decode(raw).decode(errors="surrogateescape")
    return str(entry["name"]).lstrip("/")


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece


def _lines(records: list[dict[str, Any]]) -> Iterator[list[Layer]]:
    """Each layer with all below it, the base first. Containers have layers too, without a digest."""
    finished = [record for record in records if record.get("diff-digest")]
    layers = {
        each["id"]: Layer(each["id"], each.get("parent"), each["diff-digest"], each["diff-size"]) for each in finished
    }
    for layer in layers.values():
        line = [layer]
        while (parent := line[0].parent) and parent in layers:
            line.insert(0, layers[parent])
        yield line


def _add(tar: tarfile.TarFile, name: str, size: int, content: io.BufferedIOBase) -> None:
    member = tarfile.TarInfo(name)
    member.size = size
    tar.addfile(member, content)


class _Stream(io.RawIOBase):
    """Pieces as a file to read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
