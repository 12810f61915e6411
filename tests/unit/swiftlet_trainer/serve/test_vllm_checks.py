"""What is refused before vLLM is started."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.serve.vllm_checks import check_vllm, draft_folder

LLAMA = {"num_attention_heads": 64, "num_key_value_heads": 8, "hidden_size": 8192, "intermediate_size": 28672}
EIGHT = {"tensorParallelSize": 8}


def folder(at: Path, name: str, **config: Any) -> Path:
    (at / name).mkdir()
    (at / name / "config.json").write_text(json.dumps({**LLAMA, **config}))
    return at / name


def problems(document: Any, model: Path, draft: Path | None = None) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        check_vllm(document, model, draft)
    return list(caught.value.problems)


def test_a_model_that_fits_is_let_through_and_stages_are_told(document: Any, tmp_path: Path) -> None:
    model = folder(tmp_path, "model", num_hidden_layers=61)
    assert check_vllm(document(useGpu=True, vllm=EIGHT), model, None) == []
    (note,) = check_vllm(document(useGpu=True, vllm={"pipelineParallelSize": 2}), model, None)
    assert note == "61 layers do not divide by 2 pipeline stages: some hold one more"


def test_all_problems_are_told_at_once(document: Any, tmp_path: Path) -> None:
    model, draft = folder(tmp_path, "model", num_attention_heads=20), folder(tmp_path, "draft", num_attention_heads=12)
    asked = document(useGpu=True, vllm={**EIGHT, "limitMmPerPrompt": {"image": 2}})
    found = problems(asked, model, draft)
    assert [problem[:50] for problem in found if "tensorParallelSize 8" in problem and "20" in problem]
    assert "spec.engine.vllm.limitMmPerPrompt: the model takes text alone; remove it" in found
    assert any(problem.startswith("speculativeConfig.model") and "12 attention heads" in problem for problem in found)


@pytest.mark.parametrize("key", ["vision_config", "audio_config", "image_token_id", "mm_vision_tower", "visual"])
def test_limits_are_for_models_that_see_or_hear(document: Any, tmp_path: Path, key: str) -> None:
    model = folder(tmp_path, "model", **{key: {}})
    assert check_vllm(document(vllm={"limitMmPerPrompt": {"image": 2}}), model, None) == []


@pytest.mark.parametrize(
    ("quantization", "config", "said"),
    [
        ({"quant_method": "awq", "group_size": 128}, {"intermediate_size": 29568}, "3696 of the width of 29568"),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, {"num_experts": 128, "moe_intermediate_size": 1536},
         "each GPU gets 192 of the experts' width of 1536, which cuts quantized groups of 128"),
        ({"quant_method": "gptq", "group_size": 128}, {"num_attention_heads": 40, "head_dim": 64},
         "each GPU gets 320 of the heads' width of 2560"),
    ],
)  # fmt: skip
def test_groups_of_quantized_weights_are_not_cut(
    document: Any, tmp_path: Path, quantization: dict[str, Any], config: dict[str, Any], said: str
) -> None:
    model = folder(tmp_path, "model", quantization_config=quantization, **config)
    found = problems(document(useGpu=True, vllm=EIGHT), model)
    assert any(said in problem for problem in found), found
    assert check_vllm(document(useGpu=True), model, None) == []


def test_draft_lies_where_the_document_says(document: Any, pod: Path) -> None:
    draft = {"uri": "pvc://a/b", "path": "/swiftlet/sources/draft/b"}
    assert draft_folder(document(vllm={"draft": draft})) == pod / "swiftlet/sources/draft/b"
    assert draft_folder(document()) is None
