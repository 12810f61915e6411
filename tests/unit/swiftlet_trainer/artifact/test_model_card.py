"""The card of an artifact, opened by Hugging Face's own parser."""

import json
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from swiftlet_trainer.artifact.manifest import BaseModelRecord, Manifest
from swiftlet_trainer.artifact.model_card import model_card
from swiftlet_trainer.storage.hf import FETCHED

BASE = {"uri": "hf://org/base@v2", "revision": "v2", "digest": "sha256:b", "architecture": "LlamaForCausalLM"}
PARAMETERS = {
    "task": {"sft": {}},
    "tuner": {"lora": {"rank": 12}},
    "template": {"system": "Say ```\n---\nagain"},
    "training": {"seed": 42},
    "datasets": [
        {"uri": "hf://org/rows@v1/train.jsonl", "split": "train", "path": "/swiftlet/data/0"},
        {"uri": "file:///home/me/a`b.jsonl", "split": "eval", "path": "/swiftlet/data/1"},
    ],
}


def _manifest(**changes: Any) -> Manifest:
    fields: dict[str, Any] = {
        "type": "adapter",
        "name": "team/bird",
        "base_model": BaseModelRecord(**BASE),
        "data_digest": "sha256:d",
        "parameters": PARAMETERS,
        "parameters_digest": "sha256:p",
        "packages": {"torch": "2", "peft": "1"},
        "seed": 42,
        "steps": 3,
        "final_loss": "0.5000",
        "eval_loss": "0.6000",
    }
    return Manifest(**fields | changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 12, "peft_type": "LORA"}))
    return tmp_path


def _blocks(card: ModelCard, language: str) -> list[str]:
    """What stands in fences of one language."""
    return [part.split("\n```")[0] for part in card.text.split(f"\n```{language}\n")[1:]]


def test_an_adapters_card_says_what_the_hub_asks_for(folder: Path) -> None:
    card = ModelCard(model_card(_manifest(), "org/base", folder))
    assert card.data.to_dict() == {
        "base_model": "org/base",
        "base_model_relation": "adapter",
        "datasets": ["org/rows"],
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["sft", "lora", "swiftlet"],
    }


def test_it_tells_data_settings_and_evaluation(folder: Path) -> None:
    card = ModelCard(model_card(_manifest(), "org/base", folder))
    for told in (
        "- Base model: `hf://org/base@v2`, revision `v2`, LlamaForCausalLM, `sha256:b`",
        "- Data: `hf://org/rows@v1/train.jsonl` (train)",
        "- Data: `` file:///home/me/a`b.jsonl `` (eval)",
        "- All data as it was read: `sha256:d`",
        "- Steps: 3, seed 42, loss of the last one 0.5000",
        "- Software: peft 1, torch 2",
        "Loss on held-out rows after the last step: 0.6000 nats per token.",
    ):
        assert told in card.text
    (settings,) = _blocks(card, "json")
    assert json.loads(settings) == {name: PARAMETERS[name] for name in PARAMETERS if name != "datasets"}
    assert "/swiftlet/data" not in card.text, "a path in the pod"


def test_it_tells_how_to_load_an_adapter(folder: Path) -> None:
    card = ModelCard(model_card(_manifest(), "org/base", folder))
    assert _blocks(card, "python") == [
        "from peft import PeftModel; from transformers import AutoModelForCausalLM, AutoTokenizer\n"
        "base = AutoModelForCausalLM.from_pretrained('org/base', revision='v2')\n"
        'model, tokenizer = PeftModel.from_pretrained(base, "."), AutoTokenizer.from_pretrained(".")'
    ]
    command = "vllm serve org/base --revision v2 --enable-lora --max-lora-rank 16 --lora-modules bird=."
    assert _blocks(card, "sh") == [command]


def test_what_vllm_cannot_serve_is_said_instead(folder: Path) -> None:
    (folder / "adapter_config.json").write_text(json.dumps({"r": 12, "use_dora": True}))
    card = ModelCard(model_card(_manifest(), "org/base", folder))
    assert _blocks(card, "sh") == []
    assert "vLLM cannot serve it: adapter bird: vllm has no weight-decomposed adapters (DoRA)." in card.text


def test_a_whole_model_is_loaded_by_itself(tmp_path: Path) -> None:
    base = BaseModelRecord(uri="file:///models/my base", digest="sha256:b")
    card = ModelCard(model_card(_manifest(type="model", base_model=base, eval_loss=None), "/models/my base", tmp_path))
    assert card.data.library_name == "transformers"
    assert card.data.base_model is None, "no name on the hub"
    assert "from_pretrained(" in _blocks(card, "python")[0]
    assert "my base" not in _blocks(card, "python")[0]
    assert _blocks(card, "sh") == ["vllm serve . --served-model-name bird"]
    assert "No rows were held out." in card.text


def test_the_same_run_has_the_same_card(folder: Path) -> None:
    backwards = dict(reversed(list(_manifest().packages.items())))
    assert model_card(_manifest(), "org/base", folder) == model_card(_manifest(packages=backwards), "org/base", folder)


def test_an_artifact_that_is_fetched_from_the_hub_has_its_card() -> None:
    """Its manifest lists the card, so that it would be refused without."""
    assert "README.md" in FETCHED
