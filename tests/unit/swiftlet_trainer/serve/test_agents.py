"""Which agent template a served name has: by the document, or by the manifest of what was trained."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.artifact.manifest import BaseModelRecord, Manifest, write_manifest
from swiftlet_trainer.serve.agents import agents_of


@pytest.fixture
def artifact(tmp_path: Path) -> Any:
    """Folder of an artifact with a template block: `artifact("bird", agentTemplate="hermes")`."""

    def make(name: str, **template: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        manifest = Manifest(
            type="adapter",
            name=f"default/{name}",
            base_model=BaseModelRecord(uri="hf://a/b", digest="sha256:0"),
            data_digest="sha256:1",
            parameters={"template": template} if template else {},
            parameters_digest="sha256:2",
            packages={},
            seed=1,
            steps=1,
        )
        write_manifest(folder, manifest)
        return folder

    return make


def test_each_name_has_what_it_was_trained_with(artifact: Any, tmp_path: Path) -> None:
    adapters = {
        "tern": artifact("tern", agentTemplate="react_en"),
        "robin": artifact("robin"),
        "later": artifact("later", agentTemplate="not_yet_known"),
    }
    assert agents_of(tmp_path, ["base"], adapters) == {"tern": "react_en"}
    assert agents_of(artifact("whole", agentTemplate="hermes"), ["a", "b"], {}) == {"a": "hermes", "b": "hermes"}


def test_what_the_document_says_is_for_all(artifact: Any, tmp_path: Path) -> None:
    adapters = {"tern": artifact("tern", agentTemplate="react_en")}
    assert agents_of(tmp_path, ["base"], adapters, "hermes") == {"base": "hermes", "tern": "hermes"}


def test_another_programs_manifest_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"template": {"agentTemplate": "hermes"}}))
    assert agents_of(tmp_path, ["base"], {}) == {}
