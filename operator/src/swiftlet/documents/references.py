"""Checks of documents against each other: what names what, and whether the names mean something."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swiftlet.api import KINDS
from swiftlet.api.schema.defaulting import defaulted
from swiftlet.api.schema.problems import Location, Problem, shown
from swiftlet.api.schema.validation import nearest
from swiftlet.api.v1alpha1.uris import parse_uri, scheme_of
from swiftlet.documents.chains import chain_problems
from swiftlet.documents.document import DEFAULT_NAMESPACE, Document, Key, key_of
from swiftlet.documents.evaluations import evaluation_problems
from swiftlet.documents.servednames import served_name_problems

REFERENCES = {
    "fineTuneJobRef": "FineTuneJob",
    "evalRunRef": "EvalRun",
    "profileRef": "ComputeProfile",
    "secretRef": "Secret",
}
"""Kind that a reference names, by the name of its field."""

_ABSENT_IS_FINE: frozenset[Key] = frozenset({("ComputeProfile", "", "default")})
_SHOWN_KEYS = 8


@dataclass(frozen=True)
class Reference:
    """One document's mention of another object."""

    location: Location
    """Of the text that names it."""
    target: Key
    key: str | None = None
    """Key in the ConfigMap or Secret, when one is named."""


def reference_problems(documents: Sequence[Document], objects: Iterable[Mapping[str, Any]]) -> list[Problem]:
    """Problems of documents that are sound by themselves. `objects` is everything that references may name.

    Of two objects with one key the later counts: what is about to be applied, not what it replaces.
    """
    known = {key_of(item): item for item in objects}
    references = {document.key: list(references_of(document.object)) for document in documents}
    problems: list[Problem] = []
    for document in documents:
        for reference in references[document.key]:
            problems += _unmet(document, reference, known)
        if document.kind in KINDS:
            full = defaulted(document.object)
            problems += chain_problems(document, full, known)
            problems += evaluation_problems(document, full)
            problems += served_name_problems(document, full, known)
    graph = {key: [reference.target for reference in found] for key, found in references.items()}
    by_key = {document.key: document for document in documents}
    for cycle in cycles(graph):
        document = by_key[cycle[0]]
        at = next(ref.location for ref in references[cycle[0]] if ref.target == cycle[1 % len(cycle)])
        chain = " → ".join(f"{kind}/{name}" for kind, _, name in (*cycle, cycle[0]))
        problems.append(document.problem(at, f"is part of a reference cycle: {chain}", "take one reference out"))
    return problems


def references_of(item: Mapping[str, Any]) -> Iterator[Reference]:
    """Every reference of one object, and each of its URIs that names a key."""
    namespace = key_of(item)[1] or DEFAULT_NAMESPACE
    yield from _references(item.get("spec"), ("spec",), namespace)


def _references(value: Any, at: Location, namespace: str) -> Iterator[Reference]:
    if isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _references(entry, (*at, index), namespace)
    elif isinstance(value, dict):
        for field, entry in value.items():
            kind = REFERENCES.get(field)
            if kind and isinstance(entry, dict) and isinstance(entry.get("name"), str):
                space = namespace if kind not in KINDS or KINDS[kind].scope == "Namespaced" else ""
                yield Reference((*at, field, "name"), (kind, space, entry["name"]), entry.get("key"))
            elif field == "uri" and isinstance(entry, str):
                yield from _key_of_an_object(entry, (*at, field), namespace)
            else:
                yield from _references(entry, (*at, field), namespace)


def _key_of_an_object(text: str, at: Location, namespace: str) -> Iterator[Reference]:
    """What a URI names that documents bring with them; volumes are the cluster's own."""
    uri = parse_uri(text)
    scheme = scheme_of(uri)
    if scheme.object and scheme.is_keyed:
        yield Reference(at, (scheme.object[1], namespace, uri.authority), uri.path)


def _unmet(document: Document, reference: Reference, known: Mapping[Key, Mapping[str, Any]]) -> Iterator[Problem]:
    target = known.get(reference.target)
    kind, namespace, name = reference.target
    if target is None:
        if reference.target in _ABSENT_IS_FINE:
            return
        others = [other for (a, b, other) in known if (a, b) == (kind, namespace)]
        close = nearest(name, others)
        where = f" in namespace {namespace}" if namespace not in ("", DEFAULT_NAMESPACE) else ""
        remedy = f"did you mean {close}?" if close else f"add the {kind}, or apply it first"
        yield document.problem(reference.location, f"names a {kind} that does not exist{where}", remedy, shown(name))
    elif reference.key is not None:
        keys = sorted({key for field in ("data", "binaryData", "stringData") for key in target.get(field) or {}})
        if reference.key not in keys:
            close = nearest(reference.key, keys)
            listed = ", ".join(keys[:_SHOWN_KEYS]) + (", …" if len(keys) > _SHOWN_KEYS else "")
            remedy = f"did you mean {close}? " if close else ""
            rule = f"is not a key of {kind} {name}"
            yield document.problem(reference.location, rule, f"{remedy}its keys are {listed or 'none'}", reference.key)


def cycles(graph: Mapping[Key, Sequence[Key]]) -> list[tuple[Key, ...]]:
    """The cycles of a graph that a depth-first walk meets, each once, from its first node in order of the graph."""
    found: list[tuple[Key, ...]] = []
    done: set[Key] = set()
    for start in graph:
        path: list[Key] = []
        # Each entry is a node's remaining targets; an explicit stack, so that long chains need no recursion.
        stack: list[Iterator[Key]] = [iter([start])]
        while stack:
            node = next(stack[-1], None)
            if node is None:
                stack.pop()
                if path:
                    done.add(path.pop())
            elif node in path:
                found.append(tuple(path[path.index(node) :]))
            elif node in graph and node not in done:
                path.append(node)
                stack.append(iter(graph[node]))
    return found
