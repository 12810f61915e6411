"""Preparation: tokens written once, by one process under a lock, into a folder that is renamed when complete.

Others wait for it or find it done; see swiftlet_trainer.data.prepared for what is in the folder.
"""

import json
import shutil
import tempfile
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.data.channels import Channels
from swiftlet_trainer.data.digest import data_digest
from swiftlet_trainer.data.encode import IGNORED, Encoded
from swiftlet_trainer.data.list_columns import ListColumn
from swiftlet_trainer.data.mismatches import add_mismatches
from swiftlet_trainer.data.mixing import Share, share
from swiftlet_trainer.data.packed_file import GROUP_COLUMNS, NUMBERS, TOKENS, write_packed
from swiftlet_trainer.data.prepared import PreparedData, opened, prepared_folder
from swiftlet_trainer.data.scan import counts, scan, tell
from swiftlet_trainer.locking import locked
from swiftlet_trainer.models.context import context_length
from swiftlet_trainer.models.loading import model_folder
from swiftlet_trainer.progress import Reporter
from swiftlet_trainer.tasks.registry import target_notes

ROW_COLUMNS = {"input_ids": TOKENS, "labels": TOKENS, "length": pa.int32(), "dataset": pa.int32()}


def prepare(document: TrainDocument, tokenizer: Any) -> PreparedData:
    """Tokenize the document's data sets, or open what was prepared before from the very same input.

    Raises InvalidInput with every problem of the data.
    """
    folder = prepared_folder(document)
    with locked(folder.parent / ".lock"):
        if not folder.exists():
            _sweep(folder.parent)
            building = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
            try:
                _build(document, tokenizer, building)
                building.chmod(0o755)
                building.rename(folder)
            except BaseException:
                shutil.rmtree(building, ignore_errors=True)
                raise
    prepared = opened(folder)
    tell(prepared.notes)
    Reporter().emit(type="dataset", dataset=prepared.counts)
    return prepared


class _RowFile:
    """Writes rows as they come; remembers only their lengths and data sets. Weights are written once any row has
    them, so that data sets without them are what they were."""

    def __init__(self, file: Path, grouped: bool, targeted: bool) -> None:
        names = [*(("seq_lengths", "group_sizes") if grouped else ()), *(("targets",) if targeted else ())]
        self._schema = pa.schema({**ROW_COLUMNS, **{name: GROUP_COLUMNS[name] for name in names}})
        self._file, self._writer = file, pa.ipc.new_stream(str(file), self._schema)
        self._lengths, self._datasets = array("l"), array("l")

    def write(self, dataset: int, batch: list[Encoded]) -> None:
        lengths = [len(row.input_ids) for row in batch]
        sequences = [row.lengths or [len(row.input_ids)] for row in batch]
        if "weights" not in self._schema.names and any(row.weights for row in batch):
            self._widen()
        self._lengths.extend(lengths)
        self._datasets.extend([dataset] * len(batch))
        columns = {
            "input_ids": [row.input_ids for row in batch],
            "labels": [row.labels for row in batch],
            "length": lengths,
            "dataset": [dataset] * len(batch),
            "seq_lengths": sequences,
            "group_sizes": [[len(each)] for each in sequences],
            "targets": [row.targets for row in batch],
            "weights": [row.weights or weights_of(row.labels) for row in batch],
        }
        held = {name: columns[name] for name in self._schema.names}
        self._writer.write_batch(pa.RecordBatch.from_pydict(held, schema=self._schema))

    def _widen(self) -> None:
        """Give the rows that are written weights, too."""
        self._writer.close()
        narrow = self._file.replace(self._file.with_suffix(".narrow"))
        self._schema = self._schema.append(pa.field("weights", NUMBERS))
        self._writer = pa.ipc.new_stream(str(self._file), self._schema)
        with pa.memory_map(str(narrow)) as source:
            for batch in pa.ipc.open_stream(source):
                labels = batch.column("labels")
                each = (labels.values.to_numpy() != IGNORED).astype(np.float32)
                weights = pa.ListArray.from_arrays(labels.offsets, pa.array(each))
                self._writer.write_batch(pa.RecordBatch.from_arrays([*batch.columns, weights], schema=self._schema))
        narrow.unlink()

    def close(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Lengths and data sets of all rows."""
        self._writer.close()
        return np.array(self._lengths, dtype=np.int64), np.array(self._datasets, dtype=np.int64)


def _build(document: TrainDocument, tokenizer: Any, folder: Path) -> None:
    task, file = document.task, folder / "rows.arrow"
    rows = _RowFile(file, grouped=task.sequences > 1 and not task.mismatches, targeted=task.has_targets)
    channels = Channels()
    tallies = scan(document, tokenizer, rows.write, channels)
    lengths, datasets = rows.close()
    chosen = _chosen(document, datasets)
    told = target_notes(document, ListColumn(file, "targets").joined(chosen.train)) if task.has_targets else []
    if task.mismatches:
        context = context_length(model_folder(document.model))
        limit = min(document.template.max_length, context or document.template.max_length)
        lengths = add_mismatches(file, limit, document.training.seed)
    if document.template.packing:
        # Each sequence of a row may have maxLength tokens.
        capacity = document.template.max_length * task.sequences
        write_packed(file, folder / "packed.arrow", chosen.train, lengths, capacity)
    else:
        np.save(folder / "train.npy", chosen.train)
    if len(chosen.evaluation):
        np.save(folder / "eval.npy", chosen.evaluation)
    tokens = int(lengths[chosen.train].sum())
    about = {
        "digest": data_digest(document),
        "notes": [*told, *(note for tally in tallies for note in tally.notes())],
        "channels": channels.names,
        "counts": counts(tallies, len(chosen.train), len(chosen.evaluation), tokens).document(),
    }
    (folder / "prepared.json").write_text(json.dumps(about, indent=2) + "\n")


def weights_of(labels: Sequence[int]) -> list[float]:
    """Of labels that count once each."""
    return [float(label != IGNORED) for label in labels]


def _chosen(document: TrainDocument, datasets: NDArray[np.int64]) -> Share:
    """Row numbers in rows.arrow of all data sets' shares."""
    shares = []
    for index, dataset in enumerate(document.datasets):
        own = np.flatnonzero(datasets == index)
        seed = [document.training.seed, index]
        one = share(
            len(own), dataset.sample, dataset.weight, document.training.eval_fraction, dataset.split == "eval", seed
        )
        shares.append(Share(own[one.train], own[one.evaluation]))
    return Share(np.concatenate([s.train for s in shares]), np.concatenate([s.evaluation for s in shares]))


def _sweep(folder: Path) -> None:
    """Remove what a killed process left behind; the lock is held."""
    for left in folder.glob(".building-*"):
        shutil.rmtree(left, ignore_errors=True)
