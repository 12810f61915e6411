"""The files by which sentence-transformers knows how a model makes vectors."""

import json
from pathlib import Path

import pytest
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.embedder import (
    MODES,
    MODULES_FILE,
    POOLING_FILE,
    Embedder,
    read_embedder,
    vectors_problems,
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
    assert not vectors_problems(tmp_path), "it may be served"


def test_what_makes_vectors_answers_nothing(tmp_path: Path) -> None:
    write_embedder(tmp_path, Embedder(), hidden_size=64, max_length=128)
    (problem,) = vectors_problems(tmp_path)
    assert "makes vectors of texts and answers nothing, so it cannot be served; use it in an EvalRun" in problem


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
