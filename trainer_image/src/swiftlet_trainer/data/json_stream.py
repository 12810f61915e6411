"""Objects of a .json file, decoded while the file is read: an array of them, or one after the other."""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHUNK = 1 << 18
"""Bytes that are read at a time; no more than two of them and one row are held."""
SPACE = " \t\r\n"


class JsonFaultError(Exception):
    """The file cannot be read on from here. line: where the fault is."""

    def __init__(self, line: int, problem: str) -> None:
        self.line = line
        super().__init__(problem)


def read_values(file: Path) -> Iterator[tuple[int, Any]]:
    """(line, value) of each value of the file's array, or of each value when the file is no array.

    Raises JsonFaultError at the first fault: what follows it cannot be told apart.
    """
    window = _Window(file)
    in_array = window.peek() == "["
    if in_array:
        window.skip(1)
    while (following := window.peek()) and not (in_array and following == "]"):
        line, value = window.line, window.value()
        yield line, value
        if in_array and window.peek() == ",":
            window.skip(1)
        elif in_array and window.peek() not in ("]", ""):
            raise JsonFaultError(window.line, "malformed JSON: a comma is missing between two rows; add it")
    if in_array and not following:
        raise JsonFaultError(window.line, "malformed JSON: the array is not closed; end the file with ]")


class _Window:
    """The part of the file that is being decoded."""

    def __init__(self, file: Path) -> None:
        self.line = 1
        self._text = ""
        self._chunks = self._read(file)
        self._decode = json.JSONDecoder().raw_decode

    def _read(self, file: Path) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        start = 0
        with file.open("rb") as stream:
            while True:
                chunk = stream.read(CHUNK)
                pending = len(decoder.getstate()[0])
                try:
                    text = decoder.decode(chunk, final=not chunk)
                except UnicodeDecodeError as error:
                    offset = start - pending + error.start
                    raise JsonFaultError(_line_of(file, offset), _not_utf8(error, offset)) from None
                yield text
                start += len(chunk)
                if not chunk:
                    return

    def _more(self) -> bool:
        text = next(self._chunks, None)
        self._text += text or ""
        return text is not None

    def skip(self, count: int) -> None:
        """Leave `count` characters behind."""
        self.line += self._text.count("\n", 0, count)
        self._text = self._text[count:]

    def peek(self) -> str:
        """The next character that is no space, or nothing at the end of the file."""
        while True:
            self.skip(len(self._text) - len(self._text.lstrip(SPACE)))
            if self._text or not self._more():
                return self._text[:1]

    def value(self) -> Any:
        """The next value."""
        while True:
            try:
                value, end = self._decode(self._text)
            except json.JSONDecodeError as error:
                if self._more():
                    continue
                line = self.line + self._text.count("\n", 0, error.pos)
                problem = f"malformed JSON at column {error.colno}: {error.msg}; nothing after it was read"
                raise JsonFaultError(line, problem) from None
            if end == len(self._text) and self._more():
                continue  # a number may go on in the next chunk
            self.skip(end)
            return value


def _line_of(file: Path, offset: int) -> int:
    """The line of the byte at `offset`."""
    line = 1
    with file.open("rb") as stream:
        while offset > 0 and (chunk := stream.read(min(offset, CHUNK))):
            line += chunk.count(b"\n")
            offset -= len(chunk)
    return line


def _not_utf8(error: UnicodeDecodeError, offset: int) -> str:
    byte = error.object[error.start]
    return f"not UTF-8: byte 0x{byte:02x} at offset {offset} of the file; convert the file to UTF-8"
