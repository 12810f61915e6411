"""Label selectors: `-l app=bird,tier!=dev,owner in (a, b),!old`. Source: apimachinery, labels.Parse."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from swiftlet.cli import exitcodes
from swiftlet.cli.errors import CommandError

Requirement = Callable[[Mapping[str, str]], bool]
Selector = tuple[Requirement, ...]

_KEY = r"(?P<key>[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?)"
_REQUIREMENT = re.compile(
    rf"""\s*(?:
        (?P<absent>!)\s*{_KEY}
      | {_KEY.replace("key", "key2")}\s*(?:
            (?P<operator>==|=|!=)\s*(?P<value>[-A-Za-z0-9_.]*)
          | \s(?P<among>in|notin)\s*\((?P<values>[-A-Za-z0-9_.,\s]*)\)
        )?
    )\s*(?:,|$)""",
    re.VERBOSE,
)


def parse_selector(text: str) -> Selector:
    """The requirements of a selector, all of which must hold. Raises CommandError."""
    found: list[Requirement] = []
    at = 0
    while at < len(text):
        match = _REQUIREMENT.match(text, at)
        if match is None:
            raise CommandError(
                f"-l {text!r} is not a label selector, at {text[at:].strip()!r}; write key=value, key!=value,"
                " 'key in (a,b)', 'key notin (a,b)', key or '!key', with commas between them",
                exitcodes.INVALID,
            )
        found.append(_requirement(match))
        at = match.end()
    return tuple(found)


def matches(selector: Selector, item: Mapping[str, Any]) -> bool:
    """Whether an object's labels fulfil every requirement."""
    labels = item["metadata"].get("labels") or {}
    return all(requirement(labels) for requirement in selector)


def _requirement(match: re.Match[str]) -> Requirement:
    if match["absent"]:
        absent = match["key"]
        return lambda labels: absent not in labels
    key, operator = match["key2"], match["operator"] or match["among"]
    if operator is None:
        return lambda labels: key in labels
    values = {match["value"]} if match["operator"] else {value.strip() for value in match["values"].split(",")}
    if operator in ("!=", "notin"):  # what has no such label is chosen, too
        return lambda labels: labels.get(key) not in values
    return lambda labels: labels.get(key) in values
