"""The files by which sentence-transformers knows how a model makes vectors."""

import json
from pathlib import Path

import pytest
from swiftlet_trainer.artifact.manifest import BaseModelRecord, Manifest, write_manifest
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.embedder import (
    MODES,
    MODULES_FILE,
    POOLING_FILE,
    Embedder,
    matryoshka_dims,
    read_embedder,
    write_embedder,
)


@pytest.mark.parametrize("pooling", MODES.values())
def test_what_is_written_is_read(tmp_path: Path, pooling: str) -> None:
    made = Embedder(pooling, "Query: ", "")  # type: ignore[arg-type]
    write_embedder(tmp_path, made, hidden_size=64, max_length=128)
    assert read_embedder(tmp_path) == made
    assert json.loads((tmp_path / POOLING_FILE).read_text())["word_embedding_dimension"] == 64
    modules = json.loads((tmp_path / MODULES_FILE).read_text())
    assert [one["path"] for one in modules] == ["", "1_Pooling", "2_Normalize"]
    assert all((tmp_path / one["path"]).is_dir() for one in modules)


def test_a_model_that_says_nothing(tmp_path: Path) -> None:
    assert read_embedder(tmp_path) is None


def test_beginnings_of_vectors_are_those_that_were_learnt(tmp_path: Path) -> None:
    assert matryoshka_dims(tmp_path) == ()
    (tmp_path / "config.json").write_text(json.dumps({"matryoshka_dimensions": [64, 32]}))
    assert matryoshka_dims(tmp_path) == (64, 32), "as others say it"
    manifest = Manifest(
        type="adapter",
        name="default/bird",
        base_model=BaseModelRecord(uri="hf://tiny/base", digest="sha256:0"),
        data_digest="sha256:0",
        parameters={"task": {"embedding": {"matryoshkaDims": [16, 8]}}},
        parameters_digest="sha256:0",
        packages={},
        seed=1,
        steps=1,
    )
    write_manifest(tmp_path, manifest)
    assert matryoshka_dims(tmp_path) == (16, 8)


@pytest.mark.parametrize(
    ("modes", "words"),
    [
        ({"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": False}, "pooling_mode_max_tokens is not"),
        (
            {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True},
            "pooling_mode_mean_tokens, pooling_mode_c",
        ),
        ({}, "no pooling_mode is not computed here; known is one of pooling_mode_lasttoken"),
    ],
)
def test_another_pooling_is_refused(tmp_path: Path, modes: dict[str, bool], words: str) -> None:
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / POOLING_FILE).write_text(json.dumps(modes))
    with pytest.raises(InvalidInput, match=words):
        read_embedder(tmp_path)


def test_a_layer_behind_the_pooling_is_refused(tmp_path: Path) -> None:
    write_embedder(tmp_path, Embedder(), hidden_size=64, max_length=128)
    modules = json.loads((tmp_path / MODULES_FILE).read_text())
    modules.append({"idx": 3, "name": "3", "path": "3_Dense", "type": "sentence_transformers.models.Dense"})
    (tmp_path / MODULES_FILE).write_text(json.dumps(modules))
    with pytest.raises(InvalidInput, match="Dense is not computed here"):
        read_embedder(tmp_path)
