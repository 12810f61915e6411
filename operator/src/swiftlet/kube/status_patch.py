"""The smallest JSON merge patch from one document to another. Source: RFC 7396."""

from typing import Any


def merge_patch(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What turns `before` into `after`: changed values, and null for what goes away. Empty when they are equal.

    Lists are replaced as a whole. Neither document may hold null, which a merge patch cannot express.
    """
    patch: dict[str, Any] = {name: None for name in before if name not in after}
    for name, value in after.items():
        old = before.get(name)
        if isinstance(value, dict) and isinstance(old, dict):
            below = merge_patch(old, value)
            if below:
                patch[name] = below
        elif value != old or name not in before:
            patch[name] = value
    return patch
