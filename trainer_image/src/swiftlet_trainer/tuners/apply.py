"""The tuner of a document, put on a model."""

from collections.abc import Mapping
from typing import Any

from swiftlet.api.v1alpha1.tasks.block import HeadName
from swiftlet.api.v1alpha1.tuner import Lora, Tuner, lora_alpha

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.tuners.targets import head_of, language_prefix, target_modules, unknown_targets

TASK_TYPES: Mapping[HeadName, str] = {"tokens": "CAUSAL_LM", "score": "SEQ_CLS", "pool": "FEATURE_EXTRACTION"}
"""PEFT's names of what a model is for. With SEQ_CLS the layer that scores is trained as a whole, and is part of the
adapter (modules_to_save)."""


def apply_tuner(model: Any, tuner: Tuner, seed: int, head: HeadName = "tokens") -> Any:
    """The model with only the tuner's weights trainable: a PeftModel for LoRA, the model itself for full.

    seed: of the new weights. Raises InvalidInput when no layer has a name of lora.targetModules.
    """
    if tuner.full is not None:
        _train_all(model)
        return model
    lora = tuner.lora or Lora()
    problems = unknown_targets(model, lora)
    if problems:
        raise InvalidInput(problems)
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    config = LoraConfig(
        task_type=TASK_TYPES[head],
        r=lora.rank,
        lora_alpha=lora_alpha(lora),  # type: ignore[arg-type]
        lora_dropout=lora.dropout,
        target_modules=target_modules(model, lora),
        use_rslora=lora.use_rslora,
        use_dora=lora.use_dora,
    )
    # Adapters in the model's own precision: casts between fp32 adapters and bf16 activations cost a third of a step.
    return get_peft_model(model, config, autocast_adapter_dtype=False)


def _train_all(model: Any) -> None:
    """Every weight that text passes through: others get no gradient, and processes would wait for it."""
    model.requires_grad_(True)
    if not (text := language_prefix(model)):
        return
    head = {id(weight) for weight in found.parameters()} if (found := head_of(model)) else set()
    for name, weight in model.named_parameters():
        weight.requires_grad_(name.startswith(text) or id(weight) in head)
