"""packed.arrow: rows of rows.arrow joined into sequences, read through a memory map and written batch by batch."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from swiftlet_trainer.data.list_columns import ListColumn, columns_of, lists_of
from swiftlet_trainer.data.packing import best_fit_decreasing

TOKENS = pa.list_(pa.int32())
NUMBERS = pa.list_(pa.float32())
TOKEN_COLUMNS = {"input_ids": TOKENS, "labels": TOKENS, "weights": NUMBERS}
"""Of which a row has one value for each token; weights only in files where any is neither 0 nor 1."""
GROUP_COLUMNS = {"seq_lengths": TOKENS, "group_sizes": TOKENS, "targets": NUMBERS}
"""Of rows that are groups of several sequences, which stay together, or that say what is to come out for them."""
BATCH = 128
"""Sequences that are written at a time."""


def write_packed(rows: Path, packed: Path, train: NDArray[np.int64], lengths: NDArray[np.int64], capacity: int) -> None:
    """Join the rows `train` of the file `rows` into sequences of at most `capacity` tokens, in the order of their first
    rows. lengths: tokens of every row of `rows`."""
    bins = sorted(best_fit_decreasing(lengths[train], capacity), key=min)
    held = columns_of(rows)
    tokens = {name: kind for name, kind in TOKEN_COLUMNS.items() if name in held}
    sources = {name: ListColumn(rows, name) for name in tokens}
    groups = {name: ListColumn(rows, name) for name in GROUP_COLUMNS if name in held}
    counted = {name: kind for name, kind in GROUP_COLUMNS.items() if name == "seq_lengths" or name in groups}
    schema = pa.schema({**tokens, "length": pa.int32(), **counted})
    with pa.ipc.new_stream(str(packed), schema) as writer:
        for start in range(0, len(bins), BATCH):
            batch = [train[one] for one in bins[start : start + BATCH]]
            numbers = np.concatenate(batch)
            totals = np.array([lengths[one].sum() for one in batch], dtype=np.int32)
            each = lists_of(lengths[numbers].astype(np.int32), np.array([len(one) for one in batch]))
            columns = [lists_of(source.joined(numbers), totals) for source in sources.values()]
            columns += [pa.array(totals), *(groups[name].lists(batch) if name in groups else each for name in counted)]
            writer.write_batch(pa.record_batch(columns, schema=schema))
