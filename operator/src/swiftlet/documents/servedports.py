"""Checks of ports: the servers of one local run share a machine; on a cluster each has an address of its own."""

from collections.abc import Iterator, Sequence

from swiftlet.api.defaulting import defaulted
from swiftlet.api.problems import Location, Problem
from swiftlet.documents.document import Document

PORT: Location = ("spec", "api", "port")


def served_port_problems(documents: Sequence[Document]) -> Iterator[Problem]:
    """ModelDeployments that would listen on the port of an earlier one, which is each time the first that has it."""
    first: dict[int, Document] = {}
    for document in documents:
        if document.kind != "ModelDeployment":
            continue
        spec = defaulted(document.object)["spec"]
        if spec["replicas"] == 0:
            continue
        port = spec["api"]["port"]
        other = first.setdefault(port, document)
        if other is not document:
            where = f"{other.source.file}:{other.source.line(PORT)}"
            rule = f"of modeldeployment/{document.name} is the port of modeldeployment/{other.name} too ({where})"
            yield document.problem(PORT, rule, "give each its own; they serve on one machine", str(port))
