"""Reading data files row by row: jsonl, json, csv and parquet, with the place of every row and of every fault.

Nothing here holds more than one row (parquet: one batch) in memory.
"""

import csv
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swiftlet_trainer.data.json_stream import JsonFaultError, read_values

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
    seen = False
    for row in reader(file):
        seen = True
        yield row
    if not seen:
        raise UnreadableFileError("the file has no rows; write some first")


def is_numbered_by_line(file: Path) -> bool:
    """Whether the numbers of the rows are lines of the file."""
    return file.suffix.lower() != ".parquet"


def _lines(file: Path) -> Iterator[tuple[int, str | BadRow]]:
    """The lines of a text file, decoded one by one so that a fault is found at its place."""
    start = 0
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                byte = f"byte 0x{line[error.start]:02x} at offset {start + error.start}"
                yield number, BadRow(number, f"not UTF-8: {byte} of the file; convert the file to UTF-8")
            start += len(line)


def _read_jsonl(file: Path) -> Iterator[Row | BadRow]:
    for number, line in _lines(file):
        if isinstance(line, BadRow):
            yield line
        elif line.strip():
            try:
                yield _row(number, json.loads(line.rstrip("\r\n")))
            except json.JSONDecodeError as error:
                yield BadRow(number, f"malformed JSON at column {error.colno}: {error.msg}; one object per line")


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
    csv.field_size_limit(sys.maxsize)  # a cell may be a whole document
    faults: list[BadRow] = []

    def texts() -> Iterator[str]:
        for _, line in _lines(file):
            if isinstance(line, BadRow):
                faults.append(line)
                return
            yield line

    reader = csv.reader(texts(), strict=True)
    try:
        header = next(reader, [])
        if not faults and (len(set(header)) < len(header) or "" in header):
            yield BadRow(1, f"columns {header} must have names, each another; correct the first line")
            return
        for cells in reader:
            if len(cells) == len(header):
                yield Row(reader.line_num, dict(zip(header, cells, strict=True)))
            elif cells:
                yield BadRow(
                    reader.line_num, f"{len(cells)} cells, the header has {len(header)}; quote cells that hold commas"
                )
    except csv.Error as error:
        yield BadRow(reader.line_num, f"malformed CSV: {error}; quote cells that hold quotes or line breaks")
    yield from faults


def _read_parquet(file: Path) -> Iterator[Row | BadRow]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as parquet:
            number = 0
            for batch in parquet.iter_batches(batch_size=PARQUET_BATCH):
                for columns in batch.to_pylist():
                    number += 1
                    yield Row(number, columns)
    except (pa.ArrowInvalid, OSError) as error:
        raise UnreadableFileError(f"not a Parquet file: {error}; write it again") from None


READERS: dict[str, Callable[[Path], Iterator[Row | BadRow]]] = {
    ".jsonl": _read_jsonl,
    ".json": _read_json,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}
"""By the ending of the file's name."""
