"""What became of what, from base models and data to what is served, as a Mermaid graph. Source: mermaid.js.org."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from swiftlet.api import KINDS
from swiftlet.documents.document import key_of
from swiftlet.documents.references import references_of

Object = dict[str, Any]
Edge = tuple[str, str]
"""From what to what, by labels."""
_PLAIN = re.compile(r"[^A-Za-z0-9 ./_-]")
_LONGEST = 64
"""Characters of a label; the middle of a longer one is left out, since both ends of a URI tell it apart."""
_DIGEST = len("sha256:") + 12
"""Characters of a digest that tell what is served."""
SHAPES = {"data": ("[(", ")]"), "base": ("[[", "]]"), "served": ("([", "])"), "run": ("[", "]")}


def graph(item: Object, others: Sequence[Object]) -> str:
    """The text of the graph of all that leads to `item` or comes from it; empty for what is connected with nothing."""
    nodes, edges = _found(others)
    kept = _connected(label_of(item), edges)
    names = {label: f"n{index}" for index, label in enumerate(label for label in nodes if label in kept)}
    shown = [f"  {name}{_boxed(label, nodes[label])}" for label, name in names.items()]
    lines = [f"  {names[one]} --> {names[other]}" for one, other in edges if one in names and other in names]
    if not lines:
        return ""
    return "\n".join(["flowchart LR", *shown, *lines, f"  style {names[label_of(item)]} stroke-width:4px"])


def label_of(item: Object) -> str:
    """kind/name."""
    return f"{item['kind'].lower()}/{item['metadata']['name']}"


def escaped(text: str) -> str:
    """Any text within a Mermaid string: what may mean something to Mermaid or HTML is written as a character code."""
    half = _LONGEST // 2
    short = text if len(text) <= _LONGEST else f"{text[:half]}…{text[-half:]}"
    return _PLAIN.sub(lambda found: f"#{ord(found[0])};", short)


def _boxed(label: str, shape: str) -> str:
    before, after = SHAPES[shape]
    return f'{before}"{escaped(label)}"{after}'


def _found(items: Sequence[Object]) -> tuple[dict[str, str], list[Edge]]:
    """Nodes with their shapes, and edges, each once."""
    nodes: dict[str, str] = {}
    edges: dict[Edge, None] = {}
    labels = {key_of(item): label_of(item) for item in items}
    for item in items:
        own = label_of(item)
        nodes[own] = "served" if item["kind"] == "ModelDeployment" else "run"
        for label, shape in _sources(item):
            nodes.setdefault(label, shape)
            edges[label, own] = None
        for reference in references_of(item):
            if reference.target[0] in KINDS and reference.target[0] != "ComputeProfile":
                label = labels.get(reference.target, f"{reference.target[0].lower()}/{reference.target[2]}")
                nodes.setdefault(label, "run")
                edges[label, own] = None
        for label in _served(item):
            nodes[label] = "served"
            edges[own, label] = None
    return nodes, list(edges)


def _sources(item: Object) -> Iterator[tuple[str, str]]:
    """URIs that a run starts from, and their shapes."""
    spec = item["spec"]
    for source in (spec.get("model"), (spec.get("target") or {}).get("model")):
        if uri := (source or {}).get("uri"):
            yield uri, "base"
    for dataset in spec.get("datasets") or ():
        if uri := dataset.get("uri"):
            yield uri, "data"
    for suite in spec.get("suites") or ():
        for part in suite.values():
            if isinstance(part, dict) and (uri := part.get("uri")):
                yield uri, "data"


def _served(item: Object) -> Iterator[str]:
    """The names that clients ask for; of the tuned model also which revision answers."""
    status = item.get("status") or {}
    tuned = (item["spec"].get("api") or {}).get("servedName") or item["metadata"]["name"]
    for name in status.get("servedNames") or ():
        revision = f", {status['modelDigest'][:_DIGEST]}" if name == tuned and status.get("modelDigest") else ""
        yield f"served as {name}{revision}"


def _connected(start: str, edges: Sequence[Edge]) -> set[str]:
    """What comes from `start`, and all that leads to it or to that."""
    return _reached(_reached({start}, edges), [(other, one) for one, other in edges])


def _reached(starts: set[str], edges: Sequence[Edge]) -> set[str]:
    """Where the edges lead from `starts`, which are among it."""
    left, found = list(starts), set(starts)
    while left:
        here = left.pop()
        new = {other for one, other in edges if one == here} - found
        found |= new
        left += new
    return found
