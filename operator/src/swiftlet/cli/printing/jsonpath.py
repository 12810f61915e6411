"""The part of Kubernetes' JSONPath that printer columns and `-o jsonpath` use.

Fields (`.a.b`, dots in a name escaped as `\\.`), indices (`[0]`), every item (`[*]`), and filters on one field with
`==` or `!=` (`[?(@.type=="Ready")]`). Source: k8s.io/client-go/util/jsonpath.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

Step = Callable[[Any], list[Any]]

_TOKEN = re.compile(
    r"""\.(?P<field>(?:\\.|[^.\[\\])+)
      | \[(?P<index>-?\d+)\]
      | \[(?P<every>\*)\]
      | \[['"](?P<quoted>[^'"]+)['"]\]
      | \[\?\(@\.(?P<key>[\w.]+)\s*(?P<operator>==|!=)\s*(?P<value>"[^"]*"|'[^']*'|[\w.-]+)\)\]""",
    re.VERBOSE,
)


def find(document: Any, path: str) -> list[Any]:
    """Every value at `path`, in order; empty when there is none. Raises ValueError for a path outside the subset."""
    found = [document]
    for step in _compiled(path):
        found = [value for node in found for value in step(node)]
    return found


@lru_cache(maxsize=256)
def _compiled(path: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    text = path.strip().removeprefix("{").removesuffix("}")
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            readable = 'fields, [0], [*] and [?(@.field=="value")]'
            raise ValueError(f"{path!r} is not a JSONPath that is read here ({readable}), at {text[position:]!r}")
        steps.append(_step(match))
        position = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    if name := match["field"] or match["quoted"]:
        return _field(name.replace("\\.", "."))
    if match["every"]:
        return _items
    if match["index"]:
        return _index(int(match["index"]))
    return _filter(match["key"].split("."), match["operator"] == "==", match["value"].strip("\"'"))


def _field(name: str) -> Step:
    return lambda node: [node[name]] if isinstance(node, dict) and node.get(name) is not None else []


def _index(position: int) -> Step:
    return lambda node: node[position : position + 1 or None] if isinstance(node, list) else []


def _items(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return list(node.values())
    return list(node) if isinstance(node, list) else []


def _filter(keys: list[str], wanted: bool, value: str) -> Step:
    def matches(item: Any) -> bool:
        for key in keys:
            item = item.get(key) if isinstance(item, dict) else None
        return (_text(item) == value) is wanted

    return lambda node: [item for item in node if matches(item)] if isinstance(node, list) else []


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
