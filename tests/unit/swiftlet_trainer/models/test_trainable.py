"""Models that are no causal language models, or cannot be trained, are told from their config.json."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.trainable import causal_problems, training_problems

CAUSAL: list[dict[str, Any]] = [
    {"model_type": "llama", "architectures": ["LlamaForCausalLM"]},
    {"model_type": "llama", "architectures": ["LLaMAForCausalLM"]},
    {"model_type": "llama"},
    {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]},
    {"model_type": "gemma3", "architectures": ["Gemma3ForConditionalGeneration"]},
    {"model_type": "bert", "architectures": ["BertLMHeadModel"], "is_decoder": True},
]
NOT_CAUSAL: list[tuple[dict[str, Any], str]] = [
    ({"model_type": "bert", "architectures": ["BertForMaskedLM"]}, "bert sees the tokens that it has to predict"),
    ({"model_type": "bert"}, "bert sees the tokens that it has to predict"),
    ({"model_type": "modernbert", "architectures": ["ModernBertForMaskedLM"]}, "has no causal language model"),
    (
        {"model_type": "qwen2_5_vl", "architectures": ["Qwen2_5_VLForConditionalGeneration"]},
        "'qwen2_5_vl' has no causal language model",
    ),
    ({"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]}, "has no causal language model"),
    ({"model_type": "bart", "is_encoder_decoder": True}, "use a model with a decoder only"),
    (
        {"model_type": "llama", "architectures": ["LlamaForSequenceClassification"]},
        "LlamaForSequenceClassification, whose weights have no head",
    ),
    ({"model_type": "qwen3", "architectures": ["Qwen3Model"]}, "have no head for the next token"),
]
QUANTIZED: list[dict[str, Any]] = [
    *({"quantization_config": {"quant_method": name}} for name in ("gptq", "awq", "fp8", "bitsandbytes", "mxfp4")),
    {"compression_config": {"quant_method": "compressed-tensors"}},
    {"text_config": {"quantization_config": {"quant_method": "gptq"}}},
]


def in_folder(folder: Path, config: dict[str, Any]) -> Path:
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("config", CAUSAL, ids=json.dumps)
def test_causal_language_models_can_be_trained(tmp_path: Path, config: dict[str, Any]) -> None:
    assert training_problems(in_folder(tmp_path, config), "m") == []


@pytest.mark.parametrize(("config", "words"), NOT_CAUSAL, ids=[json.dumps(config) for config, _ in NOT_CAUSAL])
def test_others_are_neither_scored_nor_trained(tmp_path: Path, config: dict[str, Any], words: str) -> None:
    (problem,) = causal_problems(in_folder(tmp_path, config), "hf://org/m")
    assert problem.startswith(f"model hf://org/m: {tmp_path / 'config.json'}: ") and words in problem
    assert training_problems(tmp_path, "hf://org/m") == [problem]


def test_a_loss_that_is_asked_for_and_not_there_is_refused(tmp_path: Path) -> None:
    mixtral = {"model_type": "mixtral", "output_router_logits": False}
    assert training_problems(in_folder(tmp_path, mixtral), "m") == []
    (problem,) = training_problems(in_folder(tmp_path, mixtral | {"output_router_logits": True}), "m")
    assert "output_router_logits is true" in problem and "set it to false" in problem


@pytest.mark.parametrize("config", QUANTIZED, ids=json.dumps)
def test_quantized_weights_are_scored_but_not_trained(tmp_path: Path, config: dict[str, Any]) -> None:
    folder = in_folder(tmp_path, {"model_type": "llama", "architectures": ["LlamaForCausalLM"], **config})
    assert causal_problems(folder, "m") == []
    (problem,) = training_problems(folder, "m")
    assert "the weights are quantized (" in problem and "use the model that it was made from" in problem


@pytest.mark.parametrize("verb", ["prepare", "validate"])
@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "qwen2_5_vl", "architectures": ["Qwen2_5_VLForConditionalGeneration"]},
        {"quantization_config": {"quant_method": "gptq", "bits": 4}},
    ],
    ids=["kind", "weights"],
)
def test_they_are_refused_before_a_gpu_is_taken_and_not_retried(
    pod: Any, smollm2: Path, chat: Any, change: dict[str, Any], verb: str
) -> None:
    from importlib import import_module

    from swiftlet.wire.messages import EXIT_INVALID

    folder = pod.root / "swiftlet/models/other"
    folder.mkdir()
    for file in smollm2.iterdir():
        (folder / file.name).symlink_to(file)
    (folder / "config.json").unlink()
    in_folder(folder, json.loads((smollm2 / "config.json").read_text()) | change)
    model = {"uri": "hf://org/other", "path": "/swiftlet/models/other"}
    document = pod.document(pod.data("rows.jsonl", [chat("Hi", "Yes.")]), model=model)
    with pytest.raises(InvalidInput, match=r"model hf://org/other: .*config.json") as caught:
        import_module(f"swiftlet_trainer.verbs.{verb}").run(pod.job(document))
    assert caught.value.exit_code == EXIT_INVALID


def test_an_architecture_without_scores_is_told_to_tasks_that_learn_them(tmp_path: Path) -> None:
    for kind, problems in (("llama", 0), ("cohere2", 1)):
        (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
        found = training_problems(tmp_path, "m", "score")
        assert len(found) == problems
        assert all("no model that scores texts" in one for one in found)
        assert not training_problems(tmp_path, "m", "tokens")
