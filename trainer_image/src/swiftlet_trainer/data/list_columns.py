"""Columns of lists in Arrow files, read row by row through a memory map."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


class ListColumn:
    """A column of lists of a memory-mapped file: each row a view, nothing copied."""

    def __init__(self, file: Path, name: str) -> None:
        self._values: list[NDArray[Any]] = []
        self._offsets: list[NDArray[np.int32]] = []
        for batch in pa.ipc.open_stream(pa.memory_map(str(file))):
            self._values.append(batch.column(name).values.to_numpy())
            self._offsets.append(batch.column(name).offsets.to_numpy())
        self._starts = np.cumsum([0, *(len(offsets) - 1 for offsets in self._offsets)])

    def __len__(self) -> int:
        return int(self._starts[-1])

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
        return lists_of(np.concatenate(joined), np.array([len(one) for one in joined]))


def lists_of(values: NDArray[Any], sizes: NDArray[np.integer]) -> pa.ListArray:
    """`values` cut into lists of `sizes`."""
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))


def columns_of(file: Path) -> list[str]:
    """Names of a file's columns."""
    with pa.memory_map(str(file)) as source:
        names: list[str] = pa.ipc.open_stream(source).schema.names
        return names
