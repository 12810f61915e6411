"""The manifest of an artifact: what it was made from, with which software, and the digest of every file."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import Field, ValidationError
from swiftlet.api.base import ApiModel

from swiftlet_trainer.failures import InvalidInput

MANIFEST_FILE = "manifest.json"
BLOCK = 1 << 20


class BaseModelRecord(ApiModel):
    """The model that was trained, as it was found."""

    uri: str
    revision: str | None = None
    digest: str = Field(description="`sha256:` digest of the base model's weights and tokenizer files.")
    architecture: str = ""
    hidden_size: int = 0
    layers: int = 0
    vocabulary: int = 0


class ParentRecord(ApiModel):
    """The artifact of another run that a run has started from."""

    name: str = Field(description="namespace/name of the FineTuneJob.")
    type: str = Field(description="adapter or model.")
    digest: str = Field(description="`sha256:` digest of its manifest.")
    base_model: BaseModelRecord


class FileRecord(ApiModel):
    """One file of the artifact."""

    size: int = Field(description="Bytes.")
    sha256: str


class Manifest(ApiModel):
    """What an artifact is. Its own digest is the sha256 of the file manifest.json."""

    version: int = 1
    type: str = Field(description="adapter or model.")
    name: str = Field(description="namespace/name of the FineTuneJob.")
    base_model: BaseModelRecord
    parents: list[ParentRecord] | None = Field(
        None, description="What it was made from, newest first, where that was made by other runs."
    )
    data_digest: str
    parameters: dict[str, Any] = Field(description="The job document's task, tuner, template and training blocks.")
    parameters_digest: str
    packages: dict[str, str] = Field(description="Versions of the libraries that trained it.")
    seed: int
    steps: int
    final_loss: str | None = None
    eval_loss: str | None = None
    files: dict[str, FileRecord] = Field(default_factory=dict, description="By path relative to the folder.")


def file_sha256(path: Path) -> str:
    """Hex sha256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def record_files(folder: Path) -> dict[str, FileRecord]:
    """Every file below `folder` but the manifest itself, in sorted order."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST_FILE)
    return {
        path.relative_to(folder).as_posix(): FileRecord(size=path.stat().st_size, sha256=file_sha256(path))
        for path in paths
    }


def canonical_digest(value: Any) -> str:
    """`sha256:` digest of a JSON value, independent of key order."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def write_manifest(folder: Path, manifest: Manifest) -> str:
    """Write manifest.json with the records of the files that are in `folder`; returns the artifact's digest."""
    complete = manifest.model_copy(update={"files": record_files(folder)})
    text = json.dumps(complete.document(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / MANIFEST_FILE).write_text(text, encoding="utf-8")
    return manifest_digest(folder)


def manifest_digest(folder: Path) -> str:
    """The artifact's digest: `sha256:` of the bytes of its manifest."""
    return f"sha256:{file_sha256(folder / MANIFEST_FILE)}"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an artifact, without looking at its files. Raises InvalidInput."""
    return _parsed(folder / MANIFEST_FILE)[0]


def is_artifact(folder: Path) -> bool:
    """Whether the folder has a manifest of ours; models of others may have a file of that name that means other
    things."""
    try:
        read_manifest(folder)
    except InvalidInput:
        return False
    return True


def read_and_verify(folder: Path, expected_digest: str | None = None) -> Manifest:
    """The manifest of an artifact that holds the recorded files, byte by byte, and nothing else.

    A file that the manifest does not list would be loaded all the same (a chat template, more weights), and a link may
    lead elsewhere tomorrow; so both are refused.
    expected_digest: `sha256:` digest that the caller was promised, if any. Raises InvalidInput with all differences.
    """
    manifest, found = _parsed(folder / MANIFEST_FILE)
    problems: list[str] = []
    if expected_digest and expected_digest != found:
        problems.append(f"{folder / MANIFEST_FILE}: digest is {found}, expected {expected_digest}; it was replaced")
    outside = [name for name in manifest.files if not _lies_below(name)]
    problems += [f"{folder / MANIFEST_FILE}: lists {name!r}, which is no file of the artifact" for name in outside]
    there = dict(_files(folder))
    for name, record in manifest.files.items():
        if name not in outside and (problem := _difference(folder / name, record, there.get(name))):
            problems.append(problem)
    unlisted = sorted(set(there) - set(manifest.files) - {MANIFEST_FILE})
    problems += [f"{folder / name}: not listed in {MANIFEST_FILE}; remove it" for name in unlisted]
    if problems:
        raise InvalidInput(problems)
    return manifest


def _parsed(path: Path) -> tuple[Manifest, str]:
    """The manifest and its digest, from one reading of its bytes."""
    try:
        content = path.read_bytes()
        return Manifest.model_validate_json(content), f"sha256:{hashlib.sha256(content).hexdigest()}"
    except ValidationError as error:
        raise InvalidInput([f"{path}: not a manifest: {error.errors()[0]['msg']}; train again"]) from None
    except FileNotFoundError:
        raise InvalidInput([f"{path}: no such file; an artifact is the folder that a FineTuneJob wrote"]) from None
    except OSError as error:
        raise InvalidInput([f"{path}: cannot be read: {error.strerror}"]) from None


def _lies_below(name: str) -> bool:
    """Whether a manifest may list `name`: a plain relative path, written in one way only."""
    path = PurePosixPath(name)
    plain = not path.is_absolute() and ".." not in path.parts and path.as_posix() == name
    return plain and name not in (".", MANIFEST_FILE) and "\0" not in name


def _files(folder: Path) -> Iterator[tuple[str, bool]]:
    """(name relative to the folder, whether it is a plain file) of everything below it that is no plain folder."""
    for parent, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        for path in (Path(parent) / name for name in [*links, *files]):
            yield path.relative_to(folder).as_posix(), path.is_file() and not path.is_symlink()


def _difference(path: Path, record: FileRecord, is_plain: bool | None) -> str | None:
    if is_plain is None:
        return f"{path}: missing, but the manifest lists it; copy the artifact again"
    if not is_plain:
        return f"{path}: a link or no file, the manifest lists a file; copy the artifact again"
    size = path.stat().st_size
    if size != record.size:
        return f"{path}: {size} bytes, the manifest says {record.size}; copy the artifact again"
    if file_sha256(path) != record.sha256:
        return f"{path}: its bytes differ from the manifest's sha256; copy the artifact again"
    return None
