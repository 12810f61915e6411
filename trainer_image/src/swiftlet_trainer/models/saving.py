"""Saving weights as transformers and PEFT read them, and loading them again into the model that they are of."""

from pathlib import Path
from typing import Any

MODEL_FILE = "model.safetensors"


def save_weights(model: Any, folder: Path, state_dict: dict[str, Any] | None = None) -> None:
    """Weights and configuration of `model` into `folder`: of a PeftModel, those of its adapter alone.

    state_dict: the weights, where they had to be gathered. The generation config is left out: transformers refuses to
    save one that it finds fault with, and many published ones set a temperature without sampling.
    """
    from peft import PeftModel
    from transformers import GenerationConfig

    # PEFT would add the whole embedding to an adapter of it, or of the head. The vocabulary stays the base's.
    options = {"save_embedding_layers": False} if isinstance(model, PeftModel) else {}
    if getattr(model, "generation_config", None) is None:  # nor has it a head that generates
        model.save_pretrained(folder, state_dict=state_dict, safe_serialization=True, **options)
        return
    own, model.generation_config = model.generation_config, GenerationConfig()
    try:
        model.save_pretrained(folder, state_dict=state_dict, safe_serialization=True, **options)
    finally:
        model.generation_config = own


def save_trained(model: Any, folder: Path) -> None:
    """What training changes of `model`, for `load_trained`: its adapter, or all weights by the model's own names."""
    from peft import PeftModel
    from safetensors.torch import save_model

    if isinstance(model, PeftModel):
        save_weights(model, folder)
    else:
        save_model(model, str(folder / MODEL_FILE))


def load_trained(model: Any, folder: Path) -> None:
    """What `save_trained` wrote, into the same model. Raises RuntimeError when weights are missing or too many."""
    from peft import PeftModel
    from safetensors.torch import load_model

    if not isinstance(model, PeftModel):
        load_model(model, str(folder / MODEL_FILE))
    elif apart := load_adapter(model, folder):
        raise RuntimeError(f"{folder}: {len(apart)} weights are missing or too many, such as {apart[0]}")


def load_adapter(model: Any, folder: Path) -> list[str]:
    """The weights of the adapter in `folder` into that of `model`, a PeftModel, in the precision that it has: its own
    load_adapter would turn bf16 into fp32, and the run into another run. Names of weights that are in one alone."""
    from peft import load_peft_weights, set_peft_model_state_dict

    found = set_peft_model_state_dict(model, load_peft_weights(str(folder), device="cpu"))
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    return [*found.unexpected_keys, *sorted(trained.intersection(found.missing_keys))]
