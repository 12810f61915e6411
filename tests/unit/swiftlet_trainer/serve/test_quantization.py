"""Quantized checkpoints are recognized by their own files."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.serve.quantization import quantization_of
from swiftlet_trainer.serve.transformers_weights import transformers_problem
from swiftlet_trainer.serve.vllm_weights import vllm_cpu_problem


def tensors(**weights: Any) -> dict[str, Any]:
    group = {"weights": weights, "input_activations": {"num_bits": 16}}
    return {"quant_method": "compressed-tensors", "config_groups": {"group_0": group}}


CHECKPOINTS: list[tuple[dict[str, Any], str, int]] = [
    ({"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}, "awq, 4 bits", 128),
    ({"quant_method": "awq", "w_bit": 4, "q_group_size": 64}, "awq, 4 bits", 64),
    ({"quant_method": "gptq", "bits": 8, "group_size": -1, "desc_act": True}, "gptq, 8 bits", 1),
    ({"quant_method": "FP8", "activation_scheme": "dynamic", "weight_block_size": [128, 64]}, "fp8", 64),
    (tensors(num_bits=4, type="int", group_size=32), "compressed-tensors, 4 bits", 32),
    (tensors(num_bits=8, type="float", group_size=None), "compressed-tensors, 8 bits", 1),
    ({**tensors(num_bits=8), "quant_method": "compressed_tensors"}, "compressed-tensors, 8 bits", 1),
    ({"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}, "bitsandbytes", 1),
    ({"quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]}, "mxfp4", 1),
    ({"quantization": {"quant_algo": "NVFP4", "group_size": 16}}, "modelopt_fp4", 1),
    ({"something": 1}, "unknown", 1),
]


def model(folder: Path, config: dict[str, Any]) -> Path:
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(("said", "shown", "group"), CHECKPOINTS)
@pytest.mark.parametrize("wrap", [
    lambda said: {"quantization_config": said},
    lambda said: {"compression_config": said},
    lambda said: {"text_config": {"quantization_config": said}, "vision_config": {}},
])  # fmt: skip
def test_it_is_found_wherever_it_is_said(
    tmp_path: Path, wrap: Any, said: dict[str, Any], shown: str, group: int
) -> None:
    found = quantization_of(model(tmp_path, wrap(said)))
    assert found is not None
    assert (str(found), found.group) == (shown, group)


@pytest.mark.parametrize("config", [{}, {"quantization_config": None}, {"quantization_config": {}}])
def test_plain_weights_are_plain(tmp_path: Path, config: dict[str, Any]) -> None:
    assert quantization_of(model(tmp_path, config)) is None


def test_file_of_model_optimizer_counts(tmp_path: Path) -> None:
    (tmp_path / "hf_quant_config.json").write_text(json.dumps({"quantization": {"quant_algo": "FP8"}}))
    assert str(quantization_of(model(tmp_path, {}))) == "modelopt"


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"quant_method": "awq", "bits": 4}, None),
        ({"quant_method": "gptq", "bits": 4}, None),
        ({"quant_method": "gptq", "bits": 8}, "vllm has no gptq weights of 8 bits on a CPU, only of 4"),
        ({**tensors(num_bits=8), "format": "int-quantized"}, None),
        ({**tensors(num_bits=4), "format": "pack-quantized"}, None),
        ({**tensors(num_bits=8), "format": "pack-quantized"}, "vllm has no compressed-tensors weights of 8 bits"),
        ({"quant_method": "fp8", "activation_scheme": "dynamic"}, None),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "in blocks on a CPU without AMX"),
        ({"quant_method": "mxfp4"}, "vllm has no mxfp4 weights on a CPU, only awq, gptq, compressed-tensors, fp8"),
        ({"quant_method": "torchao"}, "vllm has no torchao weights on a CPU"),
    ],
)
def test_what_a_cpu_has_no_operators_for_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], problem: str | None
) -> None:
    monkeypatch.setattr("swiftlet_trainer.serve.vllm_weights.has_flag", lambda flag: False)
    found = quantization_of(model(tmp_path, {"quantization_config": said}))
    assert found is not None
    told = vllm_cpu_problem(found)
    assert told is None if problem is None else problem in (told or "")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            {"quant_method": "bitsandbytes", "load_in_4bit": True},
            "transformers cannot load bitsandbytes weights here: ",
        ),
        ({"quant_method": "nonsense"}, "transformers cannot load nonsense weights here: Unknown quantization type"),
    ],
)
def test_what_transformers_cannot_load_is_told_in_its_words(tmp_path: Path, said: dict[str, Any], words: str) -> None:
    found = quantization_of(model(tmp_path, {"quantization_config": said}))
    assert found is not None
    assert (transformers_problem(found, use_gpu=False) or "").startswith(words)
