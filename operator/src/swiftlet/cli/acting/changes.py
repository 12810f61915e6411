"""Which fields of an object another version of it has otherwise."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from swiftlet.api.schema.problems import Location, field_path, shown

Object = dict[str, Any]
_HIDDEN = "Secret"
_OF_THE_SERVER = ("managedFields", "generation", "resourceVersion", "uid", "creationTimestamp")
"""In metadata."""


class Change(NamedTuple):
    """A field, and both values as one line of JSON; None: absent, or not to be shown."""

    field: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None and self.after is None:
            return self.field
        return f"{self.field}: {self.before or 'absent'} → {self.after or 'absent'}"


def changes(before: Object, after: Object) -> list[Change]:
    """What an author changes, and not what the API server writes. Values of Secrets are not shown."""
    found = [(at, old, new) for at, old, new in _differing(before, after, ()) if not _is_the_servers(at)]
    if after.get("kind") == _HIDDEN:
        return [Change(field_path(at), None, None) for at, _, _ in found]
    return [Change(field_path(at), _text(old), _text(new)) for at, old, new in found]


def _is_the_servers(at: Location) -> bool:
    return at[0] == "status" or (at[0] == "metadata" and len(at) > 1 and at[1] in _OF_THE_SERVER)


_Differing = Iterator[tuple[Location, Any, Any]]


def _differing(before: Any, after: Any, at: Location) -> _Differing:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from _differing(before.get(key), after.get(key), (*at, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from _differing(*pair, (*at, index))
    elif before != after:
        yield at, before, after


def _text(value: Any) -> str | None:
    return None if value is None else shown(value)
