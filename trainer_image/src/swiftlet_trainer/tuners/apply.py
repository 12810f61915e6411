"""The tuner of a document, put on a model."""

from typing import Any

from swiftlet.api.finetunejob import Lora, Tuner
from torch import nn

from swiftlet_trainer.failures import InvalidInput


def apply_tuner(model: Any, tuner: Tuner, seed: int) -> Any:
    """The model with only the tuner's weights trainable: a PeftModel for LoRA, the model itself for full.

    seed: of the new weights. Raises InvalidInput when no module has a name of lora.targetModules.
    """
    if tuner.full is not None:
        model.requires_grad_(True)
        return model
    lora = tuner.lora or Lora()
    problems = unknown_targets(model, lora)
    if problems:
        raise InvalidInput(problems)
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.rank,
        lora_alpha=lora_alpha(lora),  # type: ignore[arg-type]
        lora_dropout=lora.dropout,
        target_modules=_targets(lora),
        use_rslora=lora.use_rslora,
        use_dora=lora.use_dora,
    )
    # Adapters in the model's own precision: casts between fp32 adapters and bf16 activations cost a third of a step.
    return get_peft_model(model, config, autocast_adapter_dtype=False)


def lora_alpha(lora: Lora) -> float:
    """Scale of the update: twice the rank unless the document says otherwise."""
    return 2.0 * lora.rank if lora.alpha is None else lora.alpha


def unknown_targets(model: nn.Module, lora: Lora) -> list[str]:
    """One problem for each of lora.targetModules that names no linear layer, with the names that do."""
    if _targets(lora) == "all-linear":
        return []
    names = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    linear = sorted({name.rsplit(".", 1)[-1] for name in names})
    return [
        f"tuner.lora.targetModules: no linear layer is called {target!r}; this model has {', '.join(linear)}"
        for target in lora.target_modules
        if not any(name == target or name.endswith(f".{target}") for name in names)
    ]


def _targets(lora: Lora) -> str | list[str]:
    return "all-linear" if lora.target_modules == ["all-linear"] else lora.target_modules
