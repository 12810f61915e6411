"""Rows of a CSV file: the delimiter found from the header, line breaks within quotes kept."""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from swiftlet_trainer.data.text_lines import BadLineError, text_lines

DELIMITERS = ",;\t|"
"""In the order in which they are tried; a header with none of them has one column."""


class BadCellsError(ValueError):
    """A row that cannot be read; the text says why, with the remedy. line: its number."""

    def __init__(self, line: int, problem: str) -> None:
        self.line = line
        super().__init__(problem)


def read_csv(file: Path) -> Iterator[tuple[int, dict[str, str] | BadCellsError]]:
    """(last line, cells by column) of each row. Nothing is read after a fault that hides where the next row begins.

    An unnamed first column is left out: pandas writes its row numbers there.
    """
    csv.field_size_limit(sys.maxsize)  # a cell may be a whole document
    faults: list[BadCellsError] = []
    delimiter = _delimiter(file)
    reader = csv.reader(_texts(file, faults), strict=True, delimiter=delimiter)
    try:
        header = next(reader, [])
        names = header[1:] if len(header) > 1 and not header[0].strip() else header
        if not faults and (len(set(names)) < len(names) or not all(name.strip() for name in names)):
            yield 1, BadCellsError(1, f"columns {header} must have names, each another; correct the first line")
            return
        for cells in reader:
            if len(cells) == len(header):
                yield reader.line_num, dict(zip(names, cells[len(header) - len(names) :], strict=True))
            elif cells:
                what = f"{len(cells)} cells, the header has {len(header)}; quote cells that hold {delimiter!r}"
                yield reader.line_num, BadCellsError(reader.line_num, what)
    except csv.Error as error:
        line = max(reader.line_num, 1)
        what = f"malformed CSV (delimiter {delimiter!r}): {error}; quote cells that hold quotes or line breaks"
        yield line, BadCellsError(line, what)
    yield from ((fault.line, fault) for fault in faults)


def _texts(file: Path, faults: list[BadCellsError]) -> Iterator[str]:
    for number, line in text_lines(file):
        if isinstance(line, BadLineError):
            faults.append(BadCellsError(number, str(line)))
            return
        yield line


def _delimiter(file: Path) -> str:
    """The first of DELIMITERS that stands outside quotes in the file's first line."""
    header = next((line for _, line in text_lines(file) if isinstance(line, str)), "")
    plain = "".join(header.split('"')[::2])
    return next((one for one in DELIMITERS if one in plain), DELIMITERS[0])
