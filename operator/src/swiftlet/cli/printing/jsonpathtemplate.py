"""`-o jsonpath=TEMPLATE`: text with paths in braces.

`{.path}` gives its values with spaces between them, `{"text"}` the text with its escapes, `{range .path}...{end}` what
stands in it for each value. Source: k8s.io/client-go/util/jsonpath.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from swiftlet.cli import exitcodes
from swiftlet.cli.errors import CommandError
from swiftlet.cli.printing.jsonpath import find

_PART = re.compile(r"""\{(?P<action>(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^{}"'])*)\}|(?P<text>[^{}]+)""")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def filled(template: str, document: Any) -> str:
    """The template with what `document` has at its paths. Raises CommandError for a template that cannot be read."""
    if template.startswith((".", "$", "[")):
        template = f"{{{template}}}"  # a bare path, as kubectl's other options take it
    parts = list(_parts(template))
    try:
        text, end = _fill(parts, 0, document, document)
    except ValueError as error:
        raise CommandError(f"-o jsonpath: {error}", exitcodes.INVALID) from None
    if end < len(parts):
        raise CommandError("-o jsonpath: {end} has no {range ...}", exitcodes.INVALID)
    return text


def _parts(template: str) -> Iterator[tuple[str | None, str]]:
    """What stands in braces, and the text between."""
    at = 0
    while at < len(template):
        match = _PART.match(template, at)
        if match is None:
            raise CommandError(f"-o jsonpath: a brace is not closed at {template[at:]!r}", exitcodes.INVALID)
        yield (match["action"].strip() if match["action"] is not None else None), match["text"] or ""
        at = match.end()


def _fill(parts: list[tuple[str | None, str]], at: int, root: Any, here: Any) -> tuple[str, int]:
    """Text of the parts from `at` to the end of their range, and where that is."""
    text = ""
    while at < len(parts) and parts[at][0] != "end":
        action, plain = parts[at]
        if action is None:
            text, at = text + plain, at + 1
        elif action.startswith("range "):
            inner, after = "", _end_of(parts, at)
            for value in _values(action.removeprefix("range ").strip(), root, here):
                inner += _fill(parts, at + 1, root, value)[0]
            text, at = text + inner, after
        elif action[:1] in ("'", '"'):
            text, at = text + _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), action[1:-1]), at + 1
        else:
            text, at = text + " ".join(map(_shown, _values(action, root, here))), at + 1
    return text, at


def _end_of(parts: list[tuple[str | None, str]], at: int) -> int:
    """Where what follows a range begins."""
    depth = 0
    for index in range(at, len(parts)):
        action = parts[index][0] or ""
        depth += action.startswith("range ") - (action == "end")
        if depth == 0:
            return index + 1
    raise ValueError("{range ...} has no {end}")


def _values(path: str, root: Any, here: Any) -> list[Any]:
    whole = root if path.startswith("$") else here
    path = path.lstrip("$@")
    return [whole] if path in ("", ".") else find(whole, path if path[0] in ".[" else f".{path}")


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
