"""Loading a causal language model, for training, evaluation and serving alike."""

from pathlib import Path
from typing import Any

from swiftlet_trainer.failures import InvalidInput


def load_causal(folder: Path, dtype: Any, **options: Any) -> Any:
    """The model in `folder`, its attention as it was trained. Runs no program code of the model's own.

    Raises InvalidInput where transformers cannot make it a causal language model, or lacks a package that it needs.
    """
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        return AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            attn_implementation=_attention(config),
            **options,
        )
    except (ValueError, ImportError) as error:
        cause = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InvalidInput([f"model in {folder}: it cannot be loaded as a causal language model: {cause}"]) from error


def _attention(config: Any) -> str | None:
    """PyTorch's fused attention, transformers' choice, leaves out the cap on scores that Gemma 2 has."""
    return "eager" if getattr(config.get_text_config(), "attn_logit_softcapping", None) else None
