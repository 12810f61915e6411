"""Every example that the repository ships is read without a problem, alone and with its neighbours."""

from pathlib import Path

import pytest
from swiftlet.api import KINDS
from swiftlet.documents import read_documents

EXAMPLES = Path(__file__).parents[3] / "examples"
ALONE = sorted([*EXAMPLES.glob("*.yaml"), *EXAMPLES.glob("tasks/*.yaml")])
FOLDERS = sorted(file.parent for file in EXAMPLES.glob("**/kustomization.yaml"))
OF_ARGO_CD = {EXAMPLES / "gitops" / name for name in ("application.yaml", "project.yaml")}
"""Argo CD reads them, and no program of ours."""


@pytest.mark.parametrize("path", [*ALONE, *FOLDERS], ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_an_example_is_valid_and_names_only_what_it_holds(path: Path) -> None:
    assert read_documents([path])


def test_the_examples_can_be_applied_together() -> None:
    documents = read_documents(ALONE)
    assert {document.kind for document in documents} >= set(KINDS)


def test_every_example_file_is_covered() -> None:
    covered = {*ALONE, *OF_ARGO_CD, *(file for folder in FOLDERS for file in folder.glob("**/*.yaml"))}
    assert set(EXAMPLES.glob("**/*.yaml")) == covered
