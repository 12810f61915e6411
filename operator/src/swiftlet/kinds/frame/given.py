"""Values that validation has made sure of."""

from typing import TypeVar

Value = TypeVar("Value")


def given(value: Value | None) -> Value:
    """The value of an optional field that a rule of the API guarantees (one-of). Raises ValueError when it is absent,
    which means that an unvalidated document got in."""
    if value is None:
        raise ValueError("a one-of rule does not hold: validate documents before they are planned")
    return value
