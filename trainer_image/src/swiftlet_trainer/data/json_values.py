"""JSON as rows are written in: strict where a value would be lost without a word, lenient where nothing is."""

import json
from typing import Any

LONGEST_INTEGER = 4000
"""Digits of the longest number that stays an integer: Python refuses to turn longer ones into text."""


class JsonValueError(ValueError):
    """JSON that is well written and cannot be used; the text says why, with the remedy."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise JsonValueError(f"the key {twice!r} stands twice in one object; leave one of them out")
    return found


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer)


def decoded(text: str) -> Any:
    """The value of a JSON text. Raises JsonValueError for whatever keeps it from being read."""
    try:
        return DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise JsonValueError(f"malformed JSON at column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise JsonValueError(TOO_DEEP) from None


TOO_DEEP = "JSON nested too deeply to be read; a row has a few levels at most"
