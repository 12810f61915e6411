"""Loading a model of text with the head that is wanted, for training, evaluation and serving alike."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from swiftlet_trainer.failures import InvalidInput


def load_causal(folder: Path, dtype: Any, **options: Any) -> Any:
    """The model in `folder`, its attention as it was trained. Runs no program code of the model's own.

    Raises InvalidInput where transformers cannot make it a causal language model, or lacks a package that it needs.
    """
    from transformers import AutoModelForCausalLM

    return _loaded(AutoModelForCausalLM, "a causal language model", folder, dtype, **options)


def load_scored(folder: Path, dtype: Any, labels: Sequence[str], problem_type: str, **options: Any) -> Any:
    """The same with a layer that scores texts by `labels`, of random weights where the folder has none. problem_type:
    as transformers' configs name it.

    Raises InvalidInput where transformers cannot make it a model that classifies sequences.
    """
    from transformers import AutoModelForSequenceClassification

    named = {"id2label": dict(enumerate(labels)), "label2id": {label: number for number, label in enumerate(labels)}}
    what = "a model that classifies sequences"
    options = {**options, **named, "problem_type": problem_type}
    return _loaded(AutoModelForSequenceClassification, what, folder, dtype, **options)


def load_backbone(folder: Path, dtype: Any, **options: Any) -> Any:
    """The same without a head: its hidden states. Raises InvalidInput where transformers cannot make it."""
    from transformers import AutoModel

    return _loaded(AutoModel, "a model", folder, dtype, **options)


def _loaded(kind: Any, what: str, folder: Path, dtype: Any, **options: Any) -> Any:
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        return kind.from_pretrained(
            folder,
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            attn_implementation=_attention(config),
            **options,
        )
    except (ValueError, ImportError) as error:
        cause = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InvalidInput([f"model in {folder}: it cannot be loaded as {what}: {cause}"]) from error


def _attention(config: Any) -> str | None:
    """PyTorch's fused attention, transformers' choice, leaves out the cap on scores that Gemma 2 has."""
    return "eager" if getattr(config.get_text_config(), "attn_logit_softcapping", None) else None
