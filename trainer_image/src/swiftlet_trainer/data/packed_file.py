"""packed.arrow: rows of rows.arrow joined into sequences, read through a memory map and written batch by batch."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from swiftlet_trainer.data.packing import best_fit_decreasing

TOKENS = pa.list_(pa.int32())
PACKED_SCHEMA = pa.schema({"input_ids": TOKENS, "labels": TOKENS, "length": pa.int32(), "seq_lengths": TOKENS})
TARGETS = pa.list_(pa.float32())
GROUP_COLUMNS = ("seq_lengths", "group_sizes")
"""Of rows that are groups of several sequences, which stay together."""
BATCH = 128
"""Sequences that are written at a time."""


def write_packed(rows: Path, packed: Path, train: NDArray[np.int64], lengths: NDArray[np.int64], capacity: int) -> None:
    """Join the rows `train` of the file `rows` into sequences of at most `capacity` tokens, in the order of their first
    rows. lengths: tokens of every row of `rows`."""
    bins = sorted(best_fit_decreasing(lengths[train], capacity), key=min)
    sources = {name: _Column(rows, name) for name in ("input_ids", "labels")}
    columns = _columns(rows)
    groups = [_Column(rows, name) for name in GROUP_COLUMNS if name in columns]
    targets = [_Column(rows, "targets")] if "targets" in columns else []
    more = [pa.field("group_sizes", TOKENS)] * bool(groups) + [pa.field("targets", TARGETS)] * len(targets)
    schema = pa.schema([*PACKED_SCHEMA, *more])
    with pa.ipc.new_stream(str(packed), schema) as writer:
        for start in range(0, len(bins), BATCH):
            batch = [train[one] for one in bins[start : start + BATCH]]
            numbers = np.concatenate(batch)
            totals = np.array([lengths[one].sum() for one in batch], dtype=np.int32)
            joined = [_lists(source.joined(numbers), totals) for source in sources.values()]
            if groups:
                counted = [column.lists(batch) for column in groups]
            else:
                counted = [_lists(lengths[numbers].astype(np.int32), np.array([len(one) for one in batch]))]
            counted += [column.lists(batch) for column in targets]
            writer.write_batch(pa.record_batch([*joined, pa.array(totals), *counted], schema=schema))


def _columns(rows: Path) -> list[str]:
    with pa.memory_map(str(rows)) as source:
        names: list[str] = pa.ipc.open_stream(source).schema.names
        return names


class _Column:
    """A column of lists of a memory-mapped file: each row a view, nothing copied."""

    def __init__(self, file: Path, name: str) -> None:
        self._values: list[NDArray[Any]] = []
        self._offsets: list[NDArray[np.int32]] = []
        for batch in pa.ipc.open_stream(pa.memory_map(str(file))):
            self._values.append(batch.column(name).values.to_numpy())
            self._offsets.append(batch.column(name).offsets.to_numpy())
        self._starts = np.cumsum([0, *(len(offsets) - 1 for offsets in self._offsets)])

    def joined(self, numbers: NDArray[np.int64]) -> NDArray[Any]:
        """The rows `numbers` one after the other."""
        batches = np.searchsorted(self._starts, numbers, side="right") - 1
        found = []
        for batch, row in zip(batches.tolist(), (numbers - self._starts[batches]).tolist(), strict=True):
            offsets = self._offsets[batch]
            found.append(self._values[batch][offsets[row] : offsets[row + 1]])
        return np.concatenate(found)

    def lists(self, batch: list[NDArray[np.int64]]) -> pa.ListArray:
        """The rows of each of `batch` as one list."""
        joined = [self.joined(numbers) for numbers in batch]
        return _lists(np.concatenate(joined), np.array([len(one) for one in joined]))


def _lists(values: NDArray[Any], sizes: NDArray[np.integer]) -> pa.ListArray:
    """`values` cut into lists of `sizes`."""
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))
