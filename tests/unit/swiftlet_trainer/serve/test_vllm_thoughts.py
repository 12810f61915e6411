"""By which parser vLLM tells thoughts from what is said."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.serve import vllm_thoughts
from swiftlet_trainer.serve.vllm_thoughts import reasoning_arguments


@pytest.mark.parametrize(
    ("published", "model_type", "expected"),
    [
        ("qwen3", "qwen3", ["--reasoning-parser", "qwen3"]),
        ("qwen3_instruct_2507", "qwen3", []),  # the same family, and it does not think
        ("qwen3_5_think", "qwen3_5", ["--reasoning-parser", "qwen3"]),
        ("gptoss", "gpt_oss", ["--reasoning-parser", "openai_gptoss"]),
        ("gemma4", "gemma4", ["--reasoning-parser", "gemma4"]),
        ("glm4moe", "glm4_moe", ["--reasoning-parser", "glm45"]),
        ("qwen2_5", "qwen2", []),
        ("qwen3", "llama", []),
    ],
)
def test_it_is_that_of_the_family_where_the_chat_template_writes_thoughts(
    tmp_path: Path, chat_template: Any, document: Any, published: str, model_type: str, expected: list[str]
) -> None:
    (tmp_path / "chat_template.jinja").write_text(chat_template(published).chat_template)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    assert reasoning_arguments(document(), tmp_path) == expected


def test_the_one_that_is_asked_for_wins_and_models_trained_here_have_none(
    tmp_path: Path, chat_template: Any, document: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chat_template.jinja").write_text(chat_template("qwen3").chat_template)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen3"}))
    assert reasoning_arguments(document(reasoningParser="step3"), tmp_path) == ["--reasoning-parser", "step3"]
    tuned = document(adapters=[{"name": "bird", "path": "/a"}])
    assert reasoning_arguments(tuned, tmp_path) == []
    monkeypatch.setattr(vllm_thoughts, "is_artifact", lambda folder: folder == tmp_path)
    assert reasoning_arguments(document(), tmp_path) == []
