from pathlib import Path

import numpy as np
import pyarrow as pa
from datasets import Dataset
from swiftlet_trainer.data.packed_file import NUMBERS, TOKENS, write_packed


def test_rows_of_many_batches_are_joined_whole(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rows = [generator.integers(0, 1000, generator.integers(1, 40)).tolist() for _ in range(700)]
    with pa.ipc.new_stream(str(tmp_path / "rows"), pa.schema({"input_ids": TOKENS, "labels": TOKENS})) as writer:
        for start in range(0, len(rows), 64):
            part = rows[start : start + 64]
            labels = [[-token for token in row] for row in part]
            writer.write_batch(
                pa.record_batch([part, labels], schema=pa.schema({"input_ids": TOKENS, "labels": TOKENS}))
            )
    train = np.array([0, 699, 64, 63, *range(100, 600), 0])
    lengths = np.array([len(row) for row in rows])
    write_packed(tmp_path / "rows", tmp_path / "packed", train, lengths, capacity=100)

    found = []
    for packed in Dataset.from_file(str(tmp_path / "packed")):
        ends = np.cumsum(packed["seq_lengths"]).tolist()
        assert ends[-1] == packed["length"] <= 100
        assert packed["labels"] == [-token for token in packed["input_ids"]]
        found += [packed["input_ids"][start:end] for start, end in zip([0, *ends], ends, strict=False)]
    assert sorted(found) == sorted(rows[number] for number in train)


def test_targets_of_rows_stay_with_them(tmp_path: Path) -> None:
    schema = pa.schema({"input_ids": TOKENS, "labels": TOKENS, "targets": NUMBERS})
    with pa.ipc.new_stream(str(tmp_path / "rows"), schema) as writer:
        ids = [[1] * 4, [2] * 3, [3] * 2]
        writer.write_batch(pa.record_batch([ids, ids, [[0.5, 1], [2, 3], [4, 5]]], schema=schema))
    write_packed(tmp_path / "rows", tmp_path / "packed", np.array([0, 1, 2]), np.array([4, 3, 2]), capacity=6)
    found = {tuple(row["seq_lengths"]): row["targets"] for row in Dataset.from_file(str(tmp_path / "packed"))}
    assert found == {(4, 2): [0.5, 1, 4, 5], (3,): [2, 3]}
