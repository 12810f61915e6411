"""`kind: List`, `FineTuneJobList` and the like: what `get -o yaml` writes of several objects."""

from collections.abc import Iterator
from typing import Any

from swiftlet.api.schema.problems import Location, Problem, Source, field_path
from swiftlet.documents.document import API_VERSIONS

LISTS: dict[str, str] = {"List": "v1", **{f"{kind}List": version for kind, version in API_VERSIONS.items()}}
"""Every kind of list, and its apiVersion."""


def items_of(value: Any, source: Source) -> Iterator[tuple[Any, Source] | Problem]:
    """The objects of a document, each with its lines: those of a list, also of lists in it, else the object itself."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in LISTS or value.get("apiVersion") != LISTS[kind]:
        yield value, source
        return
    items = value.get("items")
    if items is None:
        items = []  # as Go writes an empty list
    if not isinstance(items, list):
        at: Location = ("items",)
        yield Problem(source.file, source.line(at), field_path(at), None, "must be a list", "write each after a `-`")
        return
    # Items of a typed list may leave out what the list says. Source: apimachinery, unstructuredJSONScheme.
    implied = {} if kind == "List" else {"apiVersion": value["apiVersion"], "kind": kind.removesuffix("List")}
    for index, item in enumerate(items):
        inner = {**implied, **item} if isinstance(item, dict) else item
        yield from items_of(inner, _below(source, ("items", index)))


def _below(source: Source, at: Location) -> Source:
    """The lines of one part, as those of a document of its own."""
    lines = {where[len(at) :]: line for where, line in source.lines.items() if where[: len(at)] == at}
    return Source(source.file, lines)
