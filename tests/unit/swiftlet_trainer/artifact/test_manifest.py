"""The manifest of an artifact."""

import hashlib
import json
from pathlib import Path

import pytest
from swiftlet_trainer.artifact.manifest import (
    BaseModelRecord,
    Manifest,
    canonical_digest,
    read_and_verify,
    read_manifest,
    write_manifest,
)
from swiftlet_trainer.failures import InvalidInput


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    (tmp_path / "adapter_model.safetensors").write_bytes(b"weights")
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer" / "vocab.json").write_text("{}")
    write_manifest(
        tmp_path,
        Manifest(
            type="adapter",
            name="default/bird",
            base_model=BaseModelRecord(uri="hf://org/name", digest="sha256:0"),
            data_digest="sha256:1",
            parameters={"training": {"seed": 42}},
            parameters_digest=canonical_digest({"training": {"seed": 42}}),
            packages={"torch": "2"},
            seed=42,
            steps=3,
            final_loss="0.5",
        ),
    )
    return tmp_path


def test_every_file_is_recorded_with_its_digest(artifact: Path) -> None:
    manifest = read_and_verify(artifact)
    assert set(manifest.files) == {"adapter_model.safetensors", "tokenizer/vocab.json"}
    assert manifest.files["adapter_model.safetensors"].sha256 == hashlib.sha256(b"weights").hexdigest()
    assert (manifest.steps, manifest.base_model.uri) == (3, "hf://org/name")


def test_the_artifacts_digest_is_that_of_the_manifest(artifact: Path) -> None:
    digest = "sha256:" + hashlib.sha256((artifact / "manifest.json").read_bytes()).hexdigest()
    read_and_verify(artifact, digest)
    with pytest.raises(InvalidInput, match="expected sha256:other"):
        read_and_verify(artifact, "sha256:other")


def test_all_differences_are_told_at_once(artifact: Path) -> None:
    (artifact / "adapter_model.safetensors").write_bytes(b"Weights")
    (artifact / "tokenizer" / "vocab.json").unlink()
    with pytest.raises(InvalidInput) as caught:
        read_and_verify(artifact)
    assert len(caught.value.problems) == 2
    assert "bytes differ from the manifest" in caught.value.problems[0]
    assert "missing" in caught.value.problems[1]


def test_a_cut_file_is_told_with_both_sizes(artifact: Path) -> None:
    (artifact / "adapter_model.safetensors").write_bytes(b"wei")
    with pytest.raises(InvalidInput, match="3 bytes, the manifest says 7"):
        read_and_verify(artifact)


@pytest.mark.parametrize(
    "name",
    ["chat_template.jinja", "model-2.safetensors", "tokenizer/added.json", "Adapter_model.safetensors", ".hidden"],
)
def test_a_file_that_the_manifest_does_not_list_is_refused(artifact: Path, name: str) -> None:
    (artifact / name).write_text("planted")
    with pytest.raises(InvalidInput, match="not listed in manifest") as caught:
        read_and_verify(artifact)
    assert caught.value.problems == [f"{artifact / name}: not listed in manifest.json; remove it"]


def test_a_manifest_of_a_folder_inside_counts_as_a_file(artifact: Path) -> None:
    (artifact / "tokenizer/manifest.json").write_text("{}")
    with pytest.raises(InvalidInput, match="tokenizer/manifest"):
        read_and_verify(artifact)
    write_manifest(artifact, read_manifest(artifact))
    assert "tokenizer/manifest.json" in read_and_verify(artifact).files


@pytest.mark.parametrize("name", ["additional_chat_templates", "extra.json"])
def test_links_are_refused_wherever_they_lead(
    artifact: Path, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "a.jinja").write_text("planted")
    (artifact / name).symlink_to(elsewhere)
    with pytest.raises(InvalidInput, match=f"{name}: not listed"):
        read_and_verify(artifact)


def test_a_listed_file_may_not_be_a_link(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Its bytes are right now, and others when it is loaded."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "weights"
    (artifact / "adapter_model.safetensors").rename(elsewhere)
    (artifact / "adapter_model.safetensors").symlink_to(elsewhere)
    with pytest.raises(InvalidInput, match="a link or no file"):
        read_and_verify(artifact)


@pytest.mark.parametrize("name", ["../x", "/etc/hostname", "a/../adapter_model.safetensors", "./x", "a//b", "", "."])
def test_a_manifest_lists_files_of_its_folder_in_one_way(artifact: Path, name: str) -> None:
    content = json.loads((artifact / "manifest.json").read_text())
    content["files"][name] = content["files"]["adapter_model.safetensors"]
    (artifact / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(InvalidInput, match="which is no file of the artifact"):
        read_and_verify(artifact)


def test_what_is_no_manifest(artifact: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        read_manifest(tmp_path / "elsewhere")
    content = json.loads((artifact / "manifest.json").read_text())
    (artifact / "manifest.json").write_text(json.dumps({**content, "steps": "many"}))
    with pytest.raises(InvalidInput, match="not a manifest"):
        read_manifest(artifact)


def test_digest_of_values_does_not_depend_on_key_order() -> None:
    assert canonical_digest({"a": 1, "b": [2]}) == canonical_digest({"b": [2], "a": 1})
    assert canonical_digest({"a": 1}) != canonical_digest({"a": 2})
