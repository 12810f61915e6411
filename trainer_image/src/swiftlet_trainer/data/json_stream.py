"""Objects of a .json file, decoded while the file is read: an array of them, or one after the other."""

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swiftlet_trainer.data.json_values import DECODER, TOO_DEEP, JsonValueError

CHUNK = 1 << 18
"""Bytes that are read at a time; no more than two of them and twice a row are held."""
NOT_SPACE = re.compile(r"[^ \t\r\n]")
NEAR_END = 16
"""Characters before the end of what was read, within which a fault may be but a value that is cut off."""
LONGEST_ROW = 1 << 28
"""Characters of one value: what is longer is no row, and would fill the memory."""


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
        window.step()
    while (following := window.peek()) and not (in_array and following == "]"):
        line, value = window.line, window.value()
        yield line, value
        if in_array and window.peek() == ",":
            window.step()
        elif in_array and window.peek() not in ("]", ""):
            raise JsonFaultError(window.line, "malformed JSON: a comma is missing between two rows; add it")
    if in_array and not following:
        raise JsonFaultError(window.line, "malformed JSON: the array is not closed; end the file with ]")
    if in_array:
        window.step()
        if window.peek():
            raise JsonFaultError(window.line, "malformed JSON: something follows the array; leave it out")


class _Window:
    """The part of the file that is being decoded."""

    def __init__(self, file: Path) -> None:
        self.line = 1
        self._text, self._at = "", 0
        self._chunks = self._read(file)
        self._decode = DECODER.raw_decode

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
        """Read on, and let go of what was skipped."""
        text = next(self._chunks, None)
        self._text, self._at = self._text[self._at :] + (text or ""), 0
        return text is not None

    def skip(self, end: int) -> None:
        """Leave what lies before `end` behind."""
        self.line += self._text.count("\n", self._at, end)
        self._at = end

    def step(self) -> None:
        """Leave one character behind."""
        self.skip(self._at + 1)

    def peek(self) -> str:
        """The next character that is no space, or nothing at the end of the file."""
        while True:
            found = NOT_SPACE.search(self._text, self._at)
            self.skip(found.start() if found else len(self._text))
            if found or not self._more():
                return self._text[self._at : self._at + 1]

    def value(self) -> Any:
        """The next value. Reading on doubles what is held, so that a long value is decoded a few times only."""
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._is_cut_off(error) and self._doubled():
                    continue
                line = self.line + self._text.count("\n", self._at, error.pos)
                problem = f"malformed JSON at column {error.colno}: {error.msg}; nothing after it was read"
                raise JsonFaultError(line, problem) from None
            except (JsonValueError, RecursionError) as error:
                problem = TOO_DEEP if isinstance(error, RecursionError) else str(error)
                raise JsonFaultError(self.line, f"{problem}; nothing after it was read") from None
            if end == len(self._text) and self._more():
                continue  # a number may go on in the next chunk
            self.skip(end)
            return value

    def _is_cut_off(self, error: json.JSONDecodeError) -> bool:
        """Whether the fault may be the end of what was read so far. A string without end begins anywhere."""
        unfinished = error.msg.startswith("Unterminated string")
        return unfinished or error.pos >= len(self._text) - NEAR_END

    def _doubled(self) -> bool:
        """Read at least as much again as is held; false at the end of the file, or when no row is that long."""
        before = len(self._text) - self._at
        while before <= LONGEST_ROW and len(self._text) - self._at < 2 * before + 1 and self._more():
            pass
        return len(self._text) - self._at > before


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
