"""Log-probabilities of answers under the model that a run starts from, computed once and kept with its data.

They are wanted before the first step, when new adapters change nothing yet, and are switched off all the same; so no
second model is ever held, whatever is trained. An adapter that another run has made is part of what this one starts
from, and stays on as it was then. A run that goes on from a checkpoint finds the log-probabilities on disk.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.failures import InvalidInput, Terminated
from swiftlet_trainer.training.compilation import as_used
from swiftlet_trainer.tuners.continued import continued_adapter, is_sharded, with_weights_of

REPORT_SECONDS = 5.0
"""Between two reports of how far it is."""
Offsets = NDArray[np.int64]


class Referenced:
    """Rows, each with what the reference says of its sequences once that is known. A dataset of PyTorch."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self.offsets: Offsets = np.cumsum([0, *sequences_of(rows)])
        self.likelihoods: NDArray[np.float32] | None = None
        """Of all rows' sequences, one after the other."""

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int | str) -> Any:
        """A row by its number, or a column by its name."""
        return self.rows[row] if isinstance(row, str) else self.__getitems__([row])[0]

    def __getitems__(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """The rows with these numbers, as a DataLoader asks for them."""
        found = [self.rows[row] for row in numbers]
        if self.likelihoods is None:
            return found
        return [{**row, "reference": self._of(number)} for number, row in zip(numbers, found, strict=True)]

    def _of(self, row: int) -> list[float]:
        assert self.likelihoods is not None  # noqa: S101
        found: list[float] = self.likelihoods[self.offsets[row] : self.offsets[row + 1]].tolist()
        return found


def sequences_of(rows: Any) -> list[int]:
    """How many sequences each row has."""
    if "seq_lengths" not in rows.column_names:
        return [1] * len(rows)
    return [len(lengths) for lengths in rows["seq_lengths"]]


@dataclass(frozen=True)
class Reference:
    """What a run's answers are compared with."""

    file: Path
    """Where the log-probabilities are kept."""
    adapter: Path | None = None
    """Folder of another run's adapter, which this one trains further."""

    def beginning(self, model: Any, resumed: bool) -> AbstractContextManager[Any]:
        """Within, `model` is what it was before the first step. Raises InvalidInput where nothing knows that any more:
        a run that goes on has all weights trained, or an adapter sharded, and has lost the file."""
        if resumed and (not hasattr(model, "disable_adapter") or (self.adapter and is_sharded(model))):
            what = f"{self.file}: what the model said before it was trained is gone, and its weights are others by now"
            raise InvalidInput([f"{what}; delete the resource to start over"])
        if self.adapter:
            return with_weights_of(model, self.adapter) if resumed else nullcontext()
        return model.disable_adapter() if hasattr(model, "disable_adapter") else nullcontext()


def reference_of(document: TrainDocument, folder: Path) -> Reference:
    """The reference of a run whose prepared data lies in `folder`."""
    adapter = continued_adapter(document)
    return Reference(reference_file(document, folder), adapter)


def reference_file(document: TrainDocument, folder: Path) -> Path:
    """Where the log-probabilities are kept, beside the prepared data in `folder`."""
    said = document.model.document() | ({"start": document.start.document()} if document.start else {})
    model = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    return folder / f"reference-{model[:16]}.safetensors"


def learn_reference(trainer: Any, reference: Reference, resumed: bool) -> None:
    """Fill in the reference of the trainer's rows: from its file, or computed by all processes and written there.

    Raises Terminated when stopped meanwhile (nothing has been learnt yet; the next attempt begins anew), InvalidInput
    when it has lost the file and cannot say it again, see Reference.beginning.
    """
    parts = {name: rows for name, rows in (("train", trainer.data.train), ("eval", trainer.data.eval)) if rows}
    known = load_file(reference.file) if reference.file.exists() else {}
    lacking = any(len(known.get(name, ())) != rows.offsets[-1] for name, rows in parts.items())
    if trainer.peers.any(lacking):  # all compute together, also where one node sees the file later than another
        with reference.beginning(trainer.engine.model, resumed):
            known = {name: _computed(trainer, rows, name) for name, rows in parts.items()}
        if trainer.peers.rank == 0:
            _keep(known, reference.file)
    for name, rows in parts.items():
        rows.likelihoods = known[name]


def _keep(known: dict[str, NDArray[np.float32]], file: Path) -> None:
    """Write all of it or nothing. Raises OSError, by which a full disk is told."""
    part = file.with_suffix(".part")
    with part.open("wb") as stream:
        stream.write(save(known))
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(file)


@torch.no_grad()
def _computed(trainer: Any, rows: Referenced, name: str) -> NDArray[np.float32]:
    """log p of each sequence's answer, over all processes."""
    found = torch.zeros(int(rows.offsets[-1]), dtype=torch.float32, device=trainer.peers.device)
    with as_used(trainer.engine.wrapped):
        for numbers, counted, batch in _told(trainer, trainer.batches_of(rows, place=None), len(rows), name):
            likelihoods = trainer.task.likelihoods(trainer.engine.wrapped(**batch["inputs"]), batch)
            if counted:
                places = [place for row in numbers for place in range(*rows.offsets[row : row + 2])]
                found[torch.tensor(places, device=found.device)] = likelihoods.float()
    found = trainer.peers.summed(found)
    if not found.isfinite().all():
        raise InvalidInput(["model: its log-probabilities of the data are not finite; look at its weights"])
    return found.cpu().numpy()


def _told(trainer: Any, batches: Iterator[Any], count: int, name: str) -> Iterator[Any]:
    """The batches, with a word now and then. Raises Terminated on all processes when one was asked to stop."""
    said, done = time.monotonic(), 0
    for one in batches:
        if trainer.is_stopping():
            raise Terminated("stopped while the reference was computed; nothing was learnt yet, so it begins anew")
        yield one
        done += len(one[0]) * trainer.peers.world_size
        if time.monotonic() - said > REPORT_SECONDS:
            said = time.monotonic()
            trainer.recorder.phase(f"reference: {min(done, count):,} of {count:,} {name} rows")
