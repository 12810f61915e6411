"""Can this model be scored and trained as a causal language model? Told from its files, before a GPU is taken."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swiftlet.api.v1alpha1.tasks.block import HeadName

from swiftlet_trainer.models.checks import json_object

OTHER_HEADS = (
    "ForMaskedLM",
    "ForPreTraining",
    "ForSequenceClassification",
    "ForTokenClassification",
    "ForQuestionAnswering",
    "ForMultipleChoice",
    "Model",
)
"""Endings of classes in a config, `architectures`, whose weights have no head that predicts the next token. GPT-2 ends
in LMHeadModel, so HEAD is looked at first."""
HEAD = ("ForCausalLM", "LMHeadModel")
QUANTIZATION = ("quantization_config", "compression_config")
"""Keys of a config.json. Source: transformers.quantizers, and compressed-tensors."""


def causal_problems(folder: Path, name: str) -> list[str]:
    """Why model `name` in `folder` predicts no next token from those before it, if it does not."""
    file = folder / "config.json"
    return [f"model {name}: {problem}" for problem in _causal(json_object(file)[0], file)]


def training_problems(folder: Path, name: str, head: HeadName = "tokens") -> list[str]:
    """Why model `name` in `folder` cannot be trained as a causal language model with this head; none when it can."""
    file = folder / "config.json"
    config, _ = json_object(file)  # empty when it cannot be read, which the checks of the folder name
    found = [*_causal(config, file, head), *_quantized(config, file), *_balanced(config, file)]
    if head == "score" and not found:
        found += _scored(config, file)
    return [f"model {name}: {problem}" for problem in found]


def _causal(config: dict[str, Any], file: Path, head: HeadName = "tokens") -> Iterator[str]:
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    kind, classes = config.get("model_type"), config.get("architectures") or []
    if kind not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        yield f"{file}: model_type {kind!r} has no causal language model in transformers; use a model of text"
    elif config.get("is_encoder_decoder"):
        yield f"{file}: is_encoder_decoder is true; use a model with a decoder only"
    elif kind in MODEL_FOR_MASKED_LM_MAPPING_NAMES and not config.get("is_decoder"):
        yield (
            f"{file}: {kind} sees the tokens that it has to predict, unless is_decoder is true; "
            "use a causal language model"
        )
    elif head == "tokens" and (
        classes and not any(one.endswith(HEAD) for one in classes) and any(one.endswith(OTHER_HEADS) for one in classes)
    ):
        yield (
            f"{file}: architectures is {', '.join(classes)}, whose weights have no head for the next token; "
            "use the model that it was made from"
        )


def _scored(config: dict[str, Any], file: Path) -> Iterator[str]:
    from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES

    if (kind := config.get("model_type")) not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES:
        yield f"{file}: model_type {kind!r} has no model that scores texts in transformers; use another model"


def _quantized(config: dict[str, Any], file: Path) -> Iterator[str]:
    found = next((part[key] for part in _parts(config) for key in QUANTIZATION if part.get(key)), None)
    if found is None:
        return
    method = found.get("quant_method") if isinstance(found, dict) else None
    yield (
        f"{file}: the weights are quantized ({method or 'by an unknown method'}), and gradients of such weights would "
        "teach nothing or garbage; use the model that it was made from"
    )


def _balanced(config: dict[str, Any], file: Path) -> Iterator[str]:
    if any(part.get("output_router_logits") for part in _parts(config)):
        yield (
            f"{file}: output_router_logits is true, which asks for a loss that spreads tokens over experts, and the "
            "trainer has none; set it to false to train without"
        )


def _parts(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The config, and that of the language model inside of it."""
    text = config.get("text_config")
    return [config, text] if isinstance(text, dict) else [config]
