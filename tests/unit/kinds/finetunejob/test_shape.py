import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from swiftlet.api.v1alpha1.tuner import Tuner
from swiftlet.kinds.finetunejob.shape import FAMILIES, shape_of
from transformers import AutoConfig, AutoModelForCausalLM

SIZES = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 24,
    "vocab_size": 300,
    "pad_token_id": 0,
}


def model_of(config: dict[str, Any]) -> Any:
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(AutoConfig.for_model(**config))


def test_smollm2(smollm2: Path) -> None:
    shape = shape_of(json.loads((smollm2 / "config.json").read_text()))
    assert shape.parameters == 134_515_008
    assert shape.trained(Tuner(lora={"rank": 16})) == 4_884_480


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_counts_are_those_of_the_model_itself(family: str, biased: bool, tied: bool) -> None:
    config = {"model_type": family, **SIZES, "attention_bias": biased, "mlp_bias": biased, "tie_word_embeddings": tied}
    model = model_of(config)
    assert shape_of(config).parameters == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("dora", [True, False])
@pytest.mark.parametrize(
    "targets",
    [
        ["all-linear"],
        ["q_proj", "down_proj"],
        ["lm_head", "embed_tokens"],
        ["layers.2.self_attn.q_proj", "layers.1.self_attn.q_proj", "layers.2.mlp.up_proj", "up_proj"],
    ],
)
def test_adapter_counts_are_those_of_peft(targets: list[str], dora: bool) -> None:
    config = {"model_type": "llama", **SIZES}
    wanted: Any = "all-linear" if targets == ["all-linear"] else targets
    peft_config = LoraConfig(r=4, target_modules=wanted, use_dora=dora, task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_config(AutoConfig.for_model(**config)), peft_config)
    counted, _ = model.get_nb_trainable_parameters()
    tuner = Tuner.model_validate({"lora": {"rank": 4, "targetModules": targets, "useDora": dora}})
    assert shape_of(config).trained(tuner) == counted


def test_full_tuning_trains_everything() -> None:
    shape = shape_of({"model_type": "llama", **SIZES})
    assert shape.trained(Tuner(full={})) == shape.parameters


def test_unknown_architecture_missing_size_and_unknown_target() -> None:
    with pytest.raises(ValueError, match="model_type 'mamba' cannot be estimated; known are llama"):
        shape_of({"model_type": "mamba"})
    with pytest.raises(ValueError, match="lacks num_hidden_layers, vocab_size"):
        shape_of({"model_type": "llama", "hidden_size": 1, "num_attention_heads": 1, "intermediate_size": 1})
    with pytest.raises(ValueError, match="targetModules Wqkv"):
        shape_of({"model_type": "llama", **SIZES}).trained(Tuner.model_validate({"lora": {"targetModules": ["Wqkv"]}}))
    with pytest.raises(ValueError, match=r"targetModules layers\.3\.self_attn\.q_proj: the model has 3 layers of"):
        tuner = Tuner.model_validate({"lora": {"targetModules": ["layers.3.self_attn.q_proj"]}})
        shape_of({"model_type": "llama", **SIZES}).trained(tuner)
