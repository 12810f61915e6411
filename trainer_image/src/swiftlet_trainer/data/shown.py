"""Foreign values in messages to people."""

from typing import Any


def shown(value: Any) -> str:
    """The type of a foreign value and its beginning."""
    try:
        return f"{type(value).__name__} {repr(value)[:40]}"
    except (RecursionError, ValueError):
        return type(value).__name__
