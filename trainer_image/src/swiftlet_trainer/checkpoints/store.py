"""Checkpoints on disk: written beside the others, then renamed into place with a marker that lists every byte.

checkpoints/step-00000010/            complete: has complete.json
checkpoints/.partial-step-00000020/   being written, or left over from a killed process
"""

import json
import os
import re
import shutil
from pathlib import Path

from pydantic import Field, ValidationError
from swiftlet.api.base import ApiModel

from swiftlet_trainer.artifact.manifest import FileRecord, file_sha256
from swiftlet_trainer.failures import TrainerError

MARKER = "complete.json"
PARTIAL = ".partial-"
NAME = re.compile(r"^step-(\d{8,})$")
DISK_FULL_SIGNS = (
    "No space left on device",
    "os error 28",
    "os error 122",
    "Disk quota exceeded",
    "file write failed",
    "unexpected pos",
)
"""What OSError, safetensors (Rust) and torch.save (C++) say when the disk is full."""


class DiskFull(TrainerError):  # noqa: N818 - says what it is
    """A checkpoint does not fit. The previous one is intact."""

    reason = "DiskFull"

    def __init__(self, folder: Path, needed: int, free: int) -> None:
        super().__init__(
            f"{folder}: no space for a checkpoint: needs {needed} bytes, {free} are free; "
            f"enlarge the volume or lower checkpoints.keep. The previous checkpoint is intact"
        )


class Marker(ApiModel):
    """complete.json of a checkpoint."""

    step: int
    world_size: int
    files: dict[str, FileRecord] = Field(description="By path relative to the folder.")


def read_marker(folder: Path) -> Marker:
    """The marker of a complete checkpoint. Raises OSError or ValidationError."""
    return Marker.model_validate_json((folder / MARKER).read_bytes())


class CheckpointStore:
    """The checkpoints of one run. One process writes (`begin`, `commit`); all may read."""

    def __init__(self, folder: Path, keep: int) -> None:
        self.folder, self._keep = folder, keep

    def clean(self) -> list[str]:
        """Remove what a killed process left half-written; returns the names."""
        left = [path for path in self._children() if path.name.startswith(PARTIAL)]
        unmarked = [path for path in self._children() if NAME.match(path.name) and not (path / MARKER).is_file()]
        for path in left + unmarked:
            shutil.rmtree(path)
        return [path.name for path in left + unmarked]

    def steps(self) -> list[int]:
        """Steps that have a marked checkpoint, ascending; their bytes were not looked at."""
        found = [(path, NAME.match(path.name)) for path in self._children()]
        return sorted(int(match.group(1)) for path, match in found if match and (path / MARKER).is_file())

    def path(self, step: int) -> Path:
        """Folder of a complete checkpoint."""
        return self.folder / f"step-{step:08d}"

    def partial(self, step: int) -> Path:
        """Folder that a checkpoint is written to before it is complete."""
        return self.folder / f"{PARTIAL}{self.path(step).name}"

    def newest(self) -> tuple[int, list[str]]:
        """The newest checkpoint whose every byte is as recorded, 0 for none; and what is wrong with newer ones."""
        problems: list[str] = []
        for step in reversed(self.steps()):
            found = self.problems(step)
            if not found:
                return step, problems
            problems += found
        return 0, problems

    def problems(self, step: int) -> list[str]:
        """Differences between a checkpoint and its marker."""
        folder = self.path(step)
        try:
            marker = read_marker(folder)
        except (OSError, ValidationError) as error:
            return [f"{folder / MARKER}: cannot be read: {error}"]
        return [problem for name, record in marker.files.items() if (problem := _difference(folder / name, record))]

    def begin(self, step: int, needed: int) -> Path:
        """An empty folder to write the checkpoint of `step` to. Raises DiskFull when `needed` bytes do not fit."""
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise DiskFull(self.folder, needed, free)
        partial = self.partial(step)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        return partial

    def commit(self, step: int, world_size: int) -> Path:
        """Make what was written for `step` the newest checkpoint, durably, and drop the oldest ones."""
        partial, final = self.partial(step), self.path(step)
        names = sorted(path for path in partial.rglob("*") if path.is_file())
        files = {path.relative_to(partial).as_posix(): _durable(path) for path in names}
        marker = Marker(step=step, world_size=world_size, files=files)
        (partial / MARKER).write_text(json.dumps(marker.document(), indent=2), encoding="utf-8")
        _durable(partial / MARKER)
        _sync_folder(partial)
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)
        _sync_folder(self.folder)
        # A newer one is broken, or this run would have gone on from it: it takes nobody's place.
        for old in [other for other in self.steps() if other <= step][: -self._keep]:
            self.discard(old)
        return final

    def discard(self, step: int) -> None:
        """Remove a checkpoint; the marker goes first, so that a removal cut short is not taken for a checkpoint."""
        (self.path(step) / MARKER).unlink(missing_ok=True)
        shutil.rmtree(self.path(step), ignore_errors=True)

    def abandon(self, step: int) -> None:
        """Remove what was written for `step`."""
        shutil.rmtree(self.partial(step), ignore_errors=True)

    def size(self, step: int) -> int:
        """Bytes of a complete checkpoint."""
        return sum(path.stat().st_size for path in self.path(step).rglob("*") if path.is_file())

    def _children(self) -> list[Path]:
        return list(self.folder.iterdir()) if self.folder.is_dir() else []


def is_disk_full(error: BaseException) -> bool:
    """Whether `error`, from whichever library, says that the disk is full."""
    import errno

    known = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return known or any(sign in str(error) for sign in DISK_FULL_SIGNS)


def _durable(path: Path) -> FileRecord:
    """Bring a file's bytes to the disk and record them."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
    return FileRecord(size=path.stat().st_size, sha256=file_sha256(path))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _difference(path: Path, record: FileRecord) -> str | None:
    if not path.is_file():
        return f"{path}: missing"
    if path.stat().st_size != record.size:
        return f"{path}: {path.stat().st_size} bytes, {record.size} were written"
    if file_sha256(path) != record.sha256:
        return f"{path}: its bytes are not those that were written"
    return None
