"""Answers under prompts that they were not given to: what KTO's reference point is a mean over.

The pairs are fixed with the data, so that the reference's log-probabilities of them are computed once, and what is
learnt depends neither on how rows are batched nor on who computes them.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from swiftlet_trainer.data.encode import IGNORED
from swiftlet_trainer.data.list_columns import ListColumn
from swiftlet_trainer.data.packed_file import GROUP_COLUMNS

TRIES = 64
"""Rows that are looked at for one of another prompt: data may have many answers to each."""

Tokens = NDArray[np.int32]


def add_mismatches(file: Path, limit: int, seed: int) -> NDArray[np.int64]:
    """Put behind each row of `file`, of one sequence, its prompt with another row's answer, cut at `limit` tokens: rows
    become groups of two sequences. Returns how many tokens each has."""
    single = file.rename(file.with_suffix(".single"))
    ring, lengths = _Ring(single, seed), list[int]()
    with pa.memory_map(str(single)) as source:
        stream = pa.ipc.open_stream(source)
        kinds = {name: GROUP_COLUMNS[name] for name in ("seq_lengths", "group_sizes")}
        schema = pa.schema([*stream.schema, *(pa.field(name, kind) for name, kind in kinds.items())])
        with pa.ipc.new_stream(str(file), schema) as writer:
            for batch in stream:
                rows = range(len(lengths), len(lengths) + len(batch))
                pairs = [(ring.row(row), ring.mismatched(row, limit)) for row in rows]
                sizes = [[len(ids) for ids, _ in pair] for pair in pairs]
                columns = batch.to_pydict() | {
                    "input_ids": [np.concatenate([ids for ids, _ in pair]) for pair in pairs],
                    "labels": [np.concatenate([labels for _, labels in pair]) for pair in pairs],
                    "length": [sum(each) for each in sizes],
                    "seq_lengths": sizes,
                    "group_sizes": [[len(each)] for each in sizes],
                }
                lengths += columns["length"]
                writer.write_batch(pa.RecordBatch.from_pydict(columns, schema=schema))
    single.unlink()
    return np.array(lengths, dtype=np.int64)


class _Ring:
    """The rows of a file, one after the other as a seed has it: each takes the answer of the one before it.

    So every answer is taken once, but for prompts that are the same. Source: arXiv:2402.01306, section 4.1, which goes
    round within a batch.
    """

    def __init__(self, file: Path, seed: int) -> None:
        self._ids, self._labels = ListColumn(file, "input_ids"), ListColumn(file, "labels")
        self._order = np.random.default_rng([seed, len(self._ids)]).permutation(len(self._ids))
        self._place = np.argsort(self._order)

    def row(self, number: int) -> tuple[Tokens, Tokens]:
        """Its tokens and labels."""
        numbers = np.array([number])
        return self._ids.joined(numbers), self._labels.joined(numbers)

    def mismatched(self, number: int, limit: int) -> tuple[Tokens, Tokens]:
        """Tokens and labels of its prompt with the answer of another row: of another prompt where there is one near."""
        (prompt, _), before = self._parted(number), range(1, min(TRIES, len(self._order)))
        others = (int(self._order[self._place[number] - back]) for back in before)
        other = next((one for one in others if not np.array_equal(self._parted(one)[0], prompt)), None)
        if other is None:
            other = int(self._order[self._place[number] - 1])
        _, (ids, labels) = self._parted(other)
        unlearnt = np.full_like(prompt, IGNORED)
        return np.concatenate([prompt, ids])[:limit], np.concatenate([unlearnt, labels])[:limit]

    def _parted(self, number: int) -> tuple[Tokens, tuple[Tokens, Tokens]]:
        """Tokens of the prompt; tokens and labels of the answer."""
        ids, labels = self.row(number)
        start = int(np.argmax(labels != IGNORED))
        return ids[:start], (ids[start:], labels[start:])
