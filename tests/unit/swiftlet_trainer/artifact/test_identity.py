"""Which bytes a model is."""

from pathlib import Path

import pytest
from swiftlet_trainer.artifact.identity import content_digest, identity, identity_problems
from swiftlet_trainer.artifact.manifest import BaseModelRecord, Manifest, manifest_digest, write_manifest


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    for name in ("model.safetensors", "config.json", "chat_template.jinja", "sub/a.jinja"):
        (tmp_path / name).write_text(name)
    return tmp_path


def artifact(folder: Path) -> str:
    base = BaseModelRecord(uri="hf://org/name", digest="sha256:0")
    return write_manifest(
        folder,
        Manifest(
            type="model",
            name="default/bird",
            base_model=base,
            data_digest="",
            parameters={},
            parameters_digest="",
            packages={},
            seed=1,
            steps=1,
        ),
    )


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "chat_template.jinja", "sub/a.jinja"])
def test_everything_that_loading_reads_counts(model: Path, name: str) -> None:
    before = content_digest(model)
    (model / name).write_text("something else")
    assert content_digest(model) != before
    assert identity_problems(model, before)[0].startswith(
        f"{model}: digest is {content_digest(model)}, expected {before}"
    )


@pytest.mark.parametrize("name", ["README.md", ".cache/huggingface/a.json", "pytorch_model.bin"])
def test_what_loading_does_not_read_does_not(model: Path, name: str) -> None:
    before = content_digest(model)
    (model / name).parent.mkdir(parents=True, exist_ok=True)
    (model / name).write_text("x")
    assert identity_problems(model, before) == []


def test_an_artifact_is_its_manifest_and_is_verified_even_where_nothing_was_promised(model: Path) -> None:
    digest = artifact(model)
    assert identity(model) == digest == manifest_digest(model)
    assert identity_problems(model, None) == identity_problems(model, digest) == []
    (model / "planted.jinja").write_text("x")
    assert identity_problems(model, None) == [f"{model / 'planted.jinja'}: not listed in manifest.json; remove it"]


def test_an_artifact_is_not_taken_for_a_model_without_a_manifest_or_the_other_way_round(model: Path) -> None:
    plain = content_digest(model)
    digest = artifact(model)
    assert "expected sha256" in identity_problems(model, plain)[0]
    (model / "manifest.json").unlink()
    assert "expected sha256" in identity_problems(model, digest)[0]


def test_a_manifest_of_other_programs_is_a_file_like_others(model: Path) -> None:
    (model / "manifest.json").write_text('{"schemaVersion": 2, "layers": []}')
    assert identity(model) == content_digest(model) and identity_problems(model, None) == []
