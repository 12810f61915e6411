"""By which of its parsers vLLM tells the thoughts of a model from what it says."""

import json
from collections.abc import Mapping
from pathlib import Path

from swiftlet.wire.documents import ServeDocument

from swiftlet_trainer.artifact.manifest import is_artifact
from swiftlet_trainer.serve.vllm_tools import chat_template_of

FAMILIES: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("qwen3", "qwen3_moe", "qwen3_next", "qwen3_5", "qwen3_5_moe"), ("qwen3", "</think>")),
    "glm4_moe": ("glm45", "</think>"),
    "minimax_m2": ("minimax_m2", "</think>"),
    "ernie4_5_moe": ("ernie45", "</think>"),
    "olmo3": ("olmo3", "</think>"),
    "hunyuan_v1_moe": ("hunyuan_a13b", "</think>"),
    "nemotron_h": ("nemotron_v3", "</think>"),
    "seed_oss": ("seed_oss", "</seed:think>"),
    "gpt_oss": ("openai_gptoss", "<|channel|>"),
    "gemma4": ("gemma4", "<|channel>"),
}
"""By `model_type`, vLLM's parser and the mark that the chat template has where the model thinks."""


def reasoning_arguments(document: ServeDocument, model: Path) -> list[str]:
    """What vLLM is started with: the parser that the document names, else that of the model's family.

    Models that were trained here have none by themselves. Whether they think, their rows decided, and vLLM takes all
    that a model says without a mark for its thought.
    """
    if document.reasoning_parser:
        return ["--reasoning-parser", document.reasoning_parser]
    if document.adapters or is_artifact(model) or not (model / "config.json").is_file():
        return []
    kind = json.loads((model / "config.json").read_text(encoding="utf-8")).get("model_type", "")
    parser, mark = FAMILIES.get(kind, ("", ""))
    return ["--reasoning-parser", parser] if parser and mark in chat_template_of(model) else []
