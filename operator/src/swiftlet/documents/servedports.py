"""Checks of ports: the servers of one local run share a machine; on a cluster each has an address of its own."""

from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from swiftlet.api.schema.problems import Location, Problem
from swiftlet.api.v1alpha1.modeldeployment import ModelDeployment
from swiftlet.documents.document import Document

PORT: Location = ("spec", "api", "port")


def served_port_problems(documents: Sequence[Document]) -> Iterator[Problem]:
    """ModelDeployments that would listen on the port of an earlier one, which is each time the first that has it."""
    first: dict[int, Document] = {}
    for document in documents:
        port = _port(document)
        if port is None:
            continue
        other = first.setdefault(port, document)
        if other is not document:
            where = f"{other.source.file}:{other.source.line(PORT)}"
            rule = f"of modeldeployment/{document.name} is the port of modeldeployment/{other.name} too ({where})"
            yield document.problem(PORT, rule, "give each its own; they serve on one machine", str(port))


def _port(document: Document) -> int | None:
    """The port of a server; None of what starts none, or is refused anyway."""
    if document.kind != "ModelDeployment":
        return None
    try:
        spec = ModelDeployment.model_validate(document.object).spec
    except ValidationError:
        return None
    return spec.api.port if spec.replicas else None
