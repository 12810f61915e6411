"""A JSON value within a text that goes on behind it."""

import json
from typing import Any

from swiftlet_trainer.data.json_values import DECODER, JsonValueError


class NoJsonError(ValueError):
    """There is no JSON value at that place; the text says why."""


def value_at(text: str, start: int) -> tuple[Any, int]:
    """The JSON value that begins at `start` or behind the blanks there, and where it ends. Raises NoJsonError."""
    while start < len(text) and text[start].isspace():
        start += 1
    try:
        return DECODER.raw_decode(text, start)
    except (json.JSONDecodeError, JsonValueError, RecursionError) as error:
        why = getattr(error, "msg", None) or str(error)
        raise NoJsonError(f"{text[start : start + 40]!r} is no JSON: {why}") from None
