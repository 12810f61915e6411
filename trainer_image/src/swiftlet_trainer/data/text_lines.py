"""The lines of a text file, decoded one by one so that a fault is told at its place."""

import re
from collections.abc import Iterator
from pathlib import Path

LONGEST_LINE = 1 << 28
"""Bytes of a line: what is longer is no row, and would fill the memory."""
HEAD = 1 << 16
"""Bytes at a file's beginning that tell what it is."""
_SIGNATURES = (
    (b"\x1f\x8b", "gzip data", "unpack it"),
    (b"BZh", "bzip2 data", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data", "unpack it"),
    (b"\xfd7zXZ\x00", "xz data", "unpack it"),
    (b"PK\x03\x04", "a zip archive", "unpack it"),
    (b"PAR1", "Parquet", "give its name the ending .parquet"),
    (b"ARROW1", "an Arrow file", "convert it to Parquet"),
    (b"\xff\xfe", "UTF-16 or UTF-32, not UTF-8", "convert the file to UTF-8"),
    (b"\xfe\xff", "UTF-16, not UTF-8", "convert the file to UTF-8"),
    (b"\x00\x00\xfe\xff", "UTF-32, not UTF-8", "convert the file to UTF-8"),
)
"""How files begin that are no text, whatever their ending says."""


class BadLineError(ValueError):
    """A line that is no text; the text says why, with the remedy. line: its number."""

    def __init__(self, line: int, problem: str) -> None:
        self.line = line
        super().__init__(problem)


def not_text(file: Path) -> str | None:
    """What a file is that is no text, with the remedy; None when nothing speaks against it."""
    with file.open("rb") as stream:
        head = stream.read(HEAD)
    found = next(
        (f"the file is {what}; {remedy}" for start, what, remedy in _SIGNATURES if head.startswith(start)), None
    )
    return found or ("the file is nothing but NUL bytes; write it again" if head and not head.strip(b"\0") else None)


def text_lines(file: Path) -> Iterator[tuple[int, str | BadLineError]]:
    """(number, line with its end) of each line. Lines end with a line feed; with a carriage return in a file that has
    no line feed."""
    offset = 0
    for number, line in enumerate(_byte_lines(file), 1):
        if len(line) > LONGEST_LINE:
            limit = LONGEST_LINE >> 20
            yield number, BadLineError(number, f"the line is longer than {limit} MiB; write one row a line")
            return
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            place = offset + error.start + (3 if number == 1 and line.startswith(b"\xef\xbb\xbf") else 0)
            byte = f"byte 0x{error.object[error.start]:02x} at offset {place}"
            yield number, BadLineError(number, f"not UTF-8: {byte} of the file; convert the file to UTF-8")
        offset += len(line)


def _byte_lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        head = stream.read(HEAD)
        stream.seek(0)
        if b"\r" not in head or b"\n" in head:
            while line := stream.readline(LONGEST_LINE + 1):
                yield line
            return
        rest = b""
        while chunk := stream.read(HEAD):
            *lines, rest = re.split(rb"(?<=\r)(?!\n)|(?<=\n)", rest + chunk)
            yield from lines
            if len(rest) > LONGEST_LINE:
                break
        if rest:
            yield rest
