"""Reading data files row by row: jsonl, json, csv and parquet, with the place of every row and of every fault.

Nothing here holds more than one row (parquet: one batch) in memory.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swiftlet_trainer.data.csv_rows import BadCellsError, read_csv
from swiftlet_trainer.data.json_stream import JsonFaultError, read_values
from swiftlet_trainer.data.json_values import JsonValueError, decoded
from swiftlet_trainer.data.text_lines import BadLineError, not_text, text_lines

PARQUET_BATCH = 512
"""Rows that are decoded at a time."""


@dataclass(frozen=True)
class Row:
    """One row: its line (parquet: its number from 1) and its columns."""

    number: int
    columns: dict[str, Any]


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be read, and why, with the remedy."""

    number: int
    problem: str


class UnreadableFileError(Exception):
    """The file as a whole cannot be read; the text says why, with the remedy."""


def read_rows(file: Path) -> Iterator[Row | BadRow]:
    """The rows of `file`, chosen by its ending. Raises UnreadableFileError."""
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise UnreadableFileError(f"ending {file.suffix!r} is not known; use one of {', '.join(READERS)}")
    if not file.exists():
        raise UnreadableFileError("no such file; correct the URI, or put the file there")
    if not file.is_file():
        raise UnreadableFileError("is a folder; name a file in it")
    if file.stat().st_size == 0:
        raise UnreadableFileError("the file is empty; write its rows first")
    if file.suffix.lower() in TEXTS and (problem := not_text(file)):
        raise UnreadableFileError(problem)
    seen = False
    for row in reader(file):
        seen = True
        yield row
    if not seen:
        raise UnreadableFileError("the file has no rows; write some first")


def is_numbered_by_line(file: Path) -> bool:
    """Whether the numbers of the rows are lines of the file."""
    return file.suffix.lower() != ".parquet"


def _read_jsonl(file: Path) -> Iterator[Row | BadRow]:
    for number, line in text_lines(file):
        if isinstance(line, BadLineError):
            yield BadRow(number, str(line))
        elif line.strip():
            try:
                yield _row(number, decoded(line.rstrip("\r\n")))
            except JsonValueError as error:
                yield BadRow(number, f"{error}; write one object per line")


def _row(number: int, value: Any) -> Row | BadRow:
    if isinstance(value, dict):
        return Row(number, value)
    return BadRow(number, f'a row is a JSON object, this is {type(value).__name__}; write {{"column": value}}')


def _read_json(file: Path) -> Iterator[Row | BadRow]:
    try:
        for line, value in read_values(file):
            yield _row(line, value)
    except JsonFaultError as fault:
        yield BadRow(fault.line, str(fault))


def _read_csv(file: Path) -> Iterator[Row | BadRow]:
    for line, cells in read_csv(file):
        yield BadRow(line, str(cells)) if isinstance(cells, BadCellsError) else Row(line, dict(cells))


def _read_parquet(file: Path) -> Iterator[Row | BadRow]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(file) as parquet:
            names = parquet.schema_arrow.names
            if len(set(names)) < len(names):
                raise UnreadableFileError(f"columns {names} must have names, each another; write the file again")
            for batch in parquet.iter_batches(batch_size=PARQUET_BATCH):
                for row in _values(batch):
                    number += 1
                    yield Row(number, row) if isinstance(row, dict) else BadRow(number, row)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        if number == 0:
            raise UnreadableFileError(f"not a Parquet file: {error}; write it again") from None
        raise UnreadableFileError(f"broken after row {number}: {error}; write the file again") from None


def _values(batch: Any) -> Iterator[dict[str, Any] | str]:
    """The rows of a Parquet batch; a text is why one of them has no value in Python."""
    try:
        for row in batch.to_pylist():
            yield {name: _held(value) for name, value in row.items()}
    except (ValueError, OverflowError, TypeError):
        for index in range(batch.num_rows):
            try:
                (row,) = batch.slice(index, 1).to_pylist()
                yield {name: _held(value) for name, value in row.items()}
            except (ValueError, OverflowError, TypeError) as error:
                yield f"cannot be read: {error}; write the row again"


def _held(value: Any) -> Any:
    """A value without the members that an object lacks: a table has a column for each that any object has, which is
    null where there is nothing."""
    if isinstance(value, dict):
        return {key: _held(one) for key, one in value.items() if one is not None}
    return [_held(one) for one in value] if isinstance(value, list) else value


READERS: dict[str, Callable[[Path], Iterator[Row | BadRow]]] = {
    ".jsonl": _read_jsonl,
    ".json": _read_json,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}
"""By the ending of the file's name."""
TEXTS = {".jsonl", ".json", ".csv"}
"""Endings of text files."""
