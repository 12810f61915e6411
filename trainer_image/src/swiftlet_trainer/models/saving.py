"""Saving weights as transformers and PEFT read them."""

from pathlib import Path
from typing import Any


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
