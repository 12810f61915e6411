"""The version of what operator and pods say to each other.

`major.minor`, and it is what reading takes: a new field raises the minor, and readers of the same major leave out what
they do not know; a changed meaning raises the major, and readers of another one refuse. A document that says nothing is
1.0. A field that is new is not written while it is at its default (`Since`), since readers of 0.1.0 refuse what they do
not know: so they still read every document that asks for nothing new.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from swiftlet.api.base import ApiModel

MAJOR = 1
"""The highest major version that this release reads, and the one that it writes."""
FIRST = "1.0"
"""What a document without schemaVersion is: release 0.1.0 wrote none."""
NEWEST = "1.1"
"""The version of all that this release reads; pods are told, since the operator of 0.1.0 cannot say what it reads."""


@dataclass(frozen=True)
class Since:
    """Marks a field that came after 1.0: `Annotated[bool, Since("1.1")]`. It needs a default."""

    version: str


class Wire(ApiModel):
    """What stands at the root of a document or message."""

    schema_version: str | None = None
    """The lowest version that reads all of it, when that is beyond 1.0."""

    def document(self) -> dict[str, Any]:
        """The JSON form, without new fields that are at their defaults, and with the version that the others need."""
        document = super().document()
        needed = max((_numbers(version) for version in _pruned(self, document)), default=_numbers(FIRST))
        said = {"schemaVersion": f"{needed[0]}.{needed[1]}"} if needed > _numbers(FIRST) else {}
        return said | document


def version_problem(content: dict[str, Any], who: str, remedy: str) -> str | None:
    """Why `content` is beyond what this release can know, if it is. `who` reads it, `remedy` names what to change."""
    said = content.get("schemaVersion")
    if said is None:
        return None
    if not isinstance(said, str) or not re.fullmatch(r"\d{1,6}\.\d{1,6}", said):
        return f"schemaVersion: {str(said)[:60]!r} is not major.minor, such as {FIRST}; {remedy}"
    if _numbers(said)[0] > MAJOR:
        return f"schemaVersion: {said} is of a later release than {who}, which reads {MAJOR}.x; {remedy}"
    return None


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def _pruned(model: BaseModel, document: dict[str, Any]) -> list[str]:
    """Take new fields at their defaults out of `document`, at every depth; the versions of those that stay."""
    kept: list[str] = []
    for name, alias, since in _fields(type(model)):
        if alias not in document:
            continue
        value = getattr(model, name)
        if since and value == type(model).model_fields[name].get_default(call_default_factory=True):
            del document[alias]
        else:
            kept += [since] if since else []
            kept += _pruned_below(value, document[alias])
    return kept


@cache
def _fields(model: type[BaseModel]) -> tuple[tuple[str, str, str | None], ...]:
    """Of each field that is new, or has new ones below it: its name, its name in documents, and the version that
    brought it. Every decision asks for them."""
    named = ((name, field.alias or name, _since(field), field.annotation) for name, field in model.model_fields.items())
    return tuple((name, alias, since) for name, alias, since, kind in named if since or _holds_news(kind))


def _holds_news(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return bool(_fields(annotation))
    return any(map(_holds_news, get_args(annotation)))


def _since(field: FieldInfo) -> str | None:
    return next((mark.version for mark in field.metadata if isinstance(mark, Since)), None)


def _pruned_below(value: Any, document: Any) -> list[str]:
    if isinstance(value, BaseModel):
        return _pruned(value, document)
    if isinstance(value, list):
        return [version for item, part in zip(value, document, strict=True) for version in _pruned_below(item, part)]
    return []
