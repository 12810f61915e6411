"""By what a model scores texts, from its files."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from swiftlet_trainer.models.scores import ScoreHead, read_head


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"architectures": ["LlamaForCausalLM"]}, None),
        (
            {"architectures": ["LlamaForSequenceClassification"]},
            ScoreHead(("LABEL_0", "LABEL_1"), "single_label_classification"),
        ),
        (
            {"architectures": ["LlamaForSequenceClassification"], "id2label": {"0": "reward"}},
            ScoreHead(("reward",), "regression"),
        ),
        (
            {
                "architectures": ["Qwen2ForSequenceClassification"],
                "id2label": {"10": "k", **{str(number): "abcdefghij"[number] for number in range(10)}},
                "problem_type": "multi_label_classification",
            },
            ScoreHead(tuple("abcdefghijk"), "multi_label_classification"),
        ),
    ],
)
def test_a_model_says_so_in_its_config(tmp_path: Path, config: dict[str, Any], expected: ScoreHead | None) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert read_head(tmp_path) == expected


def test_adapters_of_others_say_so_by_their_weights(tmp_path: Path) -> None:
    base, adapter = tmp_path / "base", tmp_path / "adapter"
    for folder in (base, adapter):
        folder.mkdir()
    (base / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"]}))
    (adapter / "adapter_config.json").write_text(json.dumps({"task_type": "CAUSAL_LM"}))
    assert read_head(base, adapter) is None
    (adapter / "adapter_config.json").write_text(json.dumps({"task_type": "SEQ_CLS"}))
    for count, expected in ((1, "regression"), (3, "single_label_classification")):
        weights = {"base_model.model.score.weight": torch.zeros(count, 4)}
        save_file(weights, str(adapter / "adapter_model.safetensors"))
        found = read_head(base, adapter)
        assert found is not None
        assert (len(found.labels), found.problem_type) == (count, expected)
