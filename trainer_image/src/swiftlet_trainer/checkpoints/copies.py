"""Copies of a run's checkpoints in object storage, laid out as on disk; the marker of each is written last."""

import re

from pydantic import ValidationError

from swiftlet_trainer.artifact.manifest import file_sha256
from swiftlet_trainer.checkpoints.store import MARKER, CheckpointStore, Marker, read_marker
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.storage.transfer import outside
from swiftlet_trainer.storage.upload import Folder

NAME = re.compile(rf"step-(\d{{8,}})/{re.escape(MARKER)}")


class CheckpointCopies:
    """The newest `keep` checkpoints of `store`, in `folder`. All raise InvalidInput and TransferFailed."""

    def __init__(self, store: CheckpointStore, folder: Folder, keep: int) -> None:
        self._store, self._folder, self._keep = store, folder, keep

    def steps(self) -> list[int]:
        """Steps whose copy is whole, ascending."""
        return sorted(int(match[1]) for name in self._folder.names() if (match := NAME.fullmatch(name)))

    def copy(self, step: int) -> None:
        """Copy a complete checkpoint and drop the oldest copies. Raises FileNotFoundError when it is dropped meanwhile,
        as newer ones come."""
        source, place = self._store.path(step), self._store.path(step).name
        files = read_marker(source).files
        # The training has written it, and has no right to what this container can read.
        if leaving := [name for name in files if not (source / name).resolve().is_relative_to(source.resolve())]:
            raise InvalidInput([f"{place}/{MARKER} lists {', '.join(leaving)}, which is no file of it"])
        for name, record in files.items():
            self._folder.upload(f"{place}/{name}", source / name, record.sha256)
        self._folder.upload(f"{place}/{MARKER}", source / MARKER, file_sha256(source / MARKER))
        # A newer one was set aside, or the run would have gone on from it: it takes nobody's place.
        for old in [other for other in self.steps() if other <= step][: -self._keep]:
            self._discard(self._store.path(old).name)

    def restore(self) -> tuple[int, list[str]]:
        """Bring the newest copy that is newer than what the store has; (its step or 0, what is wrong with newer ones).

        Raises DiskFull.
        """
        here = max(self._store.steps(), default=0)
        problems: list[str] = []
        for step in reversed([step for step in self.steps() if step > here]):
            found = self._brought(step)
            if found is None:
                return step, problems
            problems.append(found)
        return 0, problems

    def _brought(self, step: int) -> str | None:
        """Why the copy of `step` is of no use; None when it is in the store."""
        place = self._store.path(step).name
        try:
            marker = Marker.model_validate_json(self._folder.read(f"{place}/{MARKER}"))
        except ValidationError as error:
            return f"copy {place}/{MARKER} is no marker: {error.errors()[0]['msg']}"
        if leaving := outside(marker.files):
            return f"copy {place}/{MARKER} lists {', '.join(leaving)}, which is no file of it"
        staged = self._store.begin(step, sum(record.size for record in marker.files.values()))
        try:
            for name in marker.files:
                self._folder.download(f"{place}/{name}", staged / name)
        except InvalidInput as error:
            self._store.abandon(step)
            return f"copy {place}: {error}"
        self._store.commit(step, marker.world_size)
        if read_marker(self._store.path(step)).files == marker.files:
            return None
        self._store.discard(step)
        return f"copy {place}: its bytes are not those that were written"

    def _discard(self, place: str) -> None:
        """The marker goes first, so that a removal cut short is not taken for a checkpoint."""
        self._folder.remove(f"{place}/{MARKER}")
        for name in self._folder.names():
            if name.startswith(f"{place}/"):
                self._folder.remove(name)
