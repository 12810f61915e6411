"""Defaults that the API server fills in are those that the local engine and `swiftlet validate` reckon with."""

import copy
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api import KINDS
from swiftlet.api.schema.defaulting import defaulted
from swiftlet.documents.read import read_documents

Object = dict[str, Any]
EXAMPLES = Path(__file__).parents[3] / "examples"
FILES = [*sorted(EXAMPLES.glob("*.yaml")), EXAMPLES / "quickstart"]


def _spec(server: Any, document: Object) -> Object:
    answer = server.create(copy.deepcopy(document))
    assert not answer.refused, answer.said
    return dict(answer.body["spec"])


@pytest.mark.parametrize("kind", KINDS)
def test_of_the_plainest_document(kind: str, base: Any, server: Any) -> None:
    assert _spec(server, base[kind]) == defaulted(base[kind])["spec"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_of_every_example(path: Path, server: Any) -> None:
    ours = [document.object for document in read_documents([path]) if document.kind in KINDS]
    assert ours
    for document in ours:
        assert _spec(server, document) == defaulted(document)["spec"]


def test_of_every_document_that_both_accept(accepted_case: tuple[Object, Object], server: Any, change: Any) -> None:
    document = change(*accepted_case)
    assert _spec(server, document) == defaulted(document)["spec"]
