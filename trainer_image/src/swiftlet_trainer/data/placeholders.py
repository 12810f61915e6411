"""`{{NAME}}` placeholders in the text of rows, so that one published data set serves every name."""

import re
from collections.abc import Mapping
from typing import Any

PLACEHOLDER = re.compile(r"(\\)?\{\{([A-Z][A-Z0-9_]*)\}\}")
"""Upper-case names only: templates of other languages, `{{ user }}`, are text. `\\{{NAME}}` is the text `{{NAME}}`."""


def substitute(text: str, values: Mapping[str, str]) -> str:
    """`text` with its placeholders filled in.

    Without any `values` the text is left as it is, since a corpus may be about templates. Raises KeyError(name) for
    a placeholder that has no value.
    """
    if not values or "{{" not in text:
        return text
    return PLACEHOLDER.sub(lambda found: found[0][1:] if found[1] else values[found[2]], text)


def substituted(value: Any, values: Mapping[str, str]) -> Any:
    """A value of JSON with the placeholders in its texts filled in; names of members stay. Raises KeyError(name) for a
    placeholder that has no value."""
    if isinstance(value, str):
        return substitute(value, values)
    if isinstance(value, Mapping):
        return {key: substituted(one, values) for key, one in value.items()}
    return [substituted(one, values) for one in value] if isinstance(value, list | tuple) else value


def names(text: str) -> list[str]:
    """The placeholders of a text that are not escaped, in order."""
    return [found[2] for found in PLACEHOLDER.finditer(text) if not found[1]] if "{{" in text else []
