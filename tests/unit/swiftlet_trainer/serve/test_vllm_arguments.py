"""What vLLM is started with."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.serve.api_key import KEY_VARIABLE
from swiftlet_trainer.serve.vllm_arguments import (
    adapter_problems,
    vllm_arguments,
    vllm_env,
)


def _value(arguments: list[str], flag: str) -> str:
    return arguments[arguments.index(flag) + 1]


def test_arguments_follow_the_document(document: Any, pod: Path, adapter_folder: Any) -> None:
    adapters = [{"name": "bird=1", "path": adapter_folder("a", r=20)}, {"name": "tern", "path": adapter_folder("b")}]
    arguments = vllm_arguments(document(adapters=adapters, modelNames=["base", "alias"]), Path("/m"), "127.0.0.1")
    assert _value(arguments, "--model") == "/m"
    assert _value(arguments, "--port") == "8000"
    assert _value(arguments, "--max-model-len") == "2048"
    assert _value(arguments, "--max-lora-rank") == "32", "the next rank that vllm allows above 20"
    names = arguments.index("--served-model-name")
    assert arguments[names + 1 : names + 3] == ["base", "alias"]
    modules = arguments.index("--lora-modules")
    assert json.loads(arguments[modules + 1]) == {"name": "bird=1", "path": str(pod / "swiftlet/artifacts/a")}


def test_rank_pattern_counts(document: Any, adapter_folder: Any) -> None:
    adapters = [{"name": "bird", "path": adapter_folder("a", r=8, rank_pattern={"q_proj": 64})}]
    assert _value(vllm_arguments(document(adapters=adapters), Path("/m"), "h"), "--max-lora-rank") == "64"


@pytest.mark.parametrize("count", [1, 2, 8, 9, 64])
def test_last_slot_of_a_cpu_is_never_an_adapters(document: Any, adapter_folder: Any, count: int) -> None:
    adapters = [{"name": f"a{number}", "path": adapter_folder(f"a{number}")} for number in range(count)]
    arguments = vllm_arguments(document(adapters=adapters), Path("/m"), "h")
    assert int(_value(arguments, "--max-loras")) > count, "one more, and none is evicted"
    assert int(_value(arguments, "--max-cpu-loras")) >= int(_value(arguments, "--max-loras"))


@pytest.mark.parametrize(("count", "slots"), [(1, 1), (8, 8), (64, 8)])
def test_slots_of_a_gpu_are_bounded(document: Any, adapter_folder: Any, count: int, slots: int) -> None:
    adapters = [{"name": f"a{number}", "path": adapter_folder(f"a{number}")} for number in range(count)]
    arguments = vllm_arguments(document(adapters=adapters, useGpu=True), Path("/m"), "h")
    assert [_value(arguments, flag) for flag in ("--max-loras", "--max-cpu-loras")] == [str(slots), str(count)]


def test_without_adapters_lora_is_off(document: Any) -> None:
    assert not [one for one in vllm_arguments(document(), Path("/m"), "h") if "lora" in one]


def test_own_arguments_come_last_and_win(document: Any) -> None:
    arguments = vllm_arguments(document(engineArgs=["--max-logprobs", "5"]), Path("/m"), "h")
    assert arguments[-2:] == ["--max-logprobs", "5"]


def test_cpu_settings_stay_off_a_gpu(document: Any, pod: Path) -> None:
    model = pod / "swiftlet/models/tiny"
    assert "--enforce-eager" not in vllm_arguments(document(useGpu=True), model, "h")
    assert not [name for name in vllm_env(document(useGpu=True), model, 2) if "CPU" in name or name.startswith("OMP")]


def test_key_goes_to_the_environment_only(document: Any, pod: Path) -> None:
    (pod / "swiftlet/secrets").mkdir()
    (pod / "swiftlet/secrets/key").write_text("s3cret\n")
    keyed = document(apiKeyFile="/swiftlet/secrets/key")
    assert vllm_env(keyed, pod / "swiftlet/models/tiny", 2)[KEY_VARIABLE] == "s3cret"
    assert "s3cret" not in " ".join(vllm_arguments(keyed, Path("/m"), "h"))


def test_cache_holds_four_sequences_of_full_length(document: Any, pod: Path) -> None:
    # 2 x 30 layers x 3 KV heads x 64 x 2 bytes = 23,040 bytes a token.
    model = pod / "swiftlet/models/tiny"
    assert vllm_env(document(), model, 2)["VLLM_CPU_KVCACHE_SPACE"] == "1"
    assert vllm_env(document(maxModelLength=32768), model, 2)["VLLM_CPU_KVCACHE_SPACE"] == "3"
    assert vllm_env(document(), model, 6)["OMP_NUM_THREADS"] == "6"


def test_adapters_that_vllm_lacks_are_named(pod: Path, adapter_folder: Any) -> None:
    folders = {name: pod / adapter_folder(name, **config).lstrip("/") for name, config in {
        "dora": {"use_dora": True}, "big": {"r": 1024}, "plain": {"use_rslora": True, "modules_to_save": None},
    }.items()}  # fmt: skip
    problems = adapter_problems(folders)
    assert problems == [
        "adapter dora: vllm has no weight-decomposed adapters (DoRA)",
        "adapter big: rank 1024 is above vllm's 512",
    ]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"use_bdlora": {"x": 1}}, "block-diagonal adapters (BD-LoRA)"),
        ({"peft_type": "IA3"}, "IA3 adapters"),
        ({"init_lora_weights": "PiSSA"}, "adapters that change the base's own weights (init_lora_weights: PiSSA)"),
        ({"init_lora_weights": "Gaussian"}, None),
        ({"init_lora_weights": True, "peft_type": "LORA", "use_qalora": False}, None),
    ],
)
def test_adapters_of_other_kinds_are_left_to_transformers(
    adapter_folder: Any, pod: Path, config: dict[str, Any], told: str | None
) -> None:
    folder = pod / adapter_folder("a", **config).lstrip("/")
    assert adapter_problems({"bird": folder}) == ([f"adapter bird: vllm has no {told}"] if told else [])
