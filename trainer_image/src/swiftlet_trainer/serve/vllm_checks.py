"""What is known of vLLM and a model before minutes are spent on starting it."""

import json
import re
from pathlib import Path
from typing import Any

from swiftlet.wire.documents import ServeDocument

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.loading import model_folder
from swiftlet_trainer.serve.quantization import quantization_of
from swiftlet_trainer.serve.vllm_sizes import Sizes, parallel_problems, sizes_of, uneven_layers

SEES_OR_HEARS = re.compile("vision|visual|image|audio|video|speech|mm_", re.IGNORECASE)
"""In a key of the config.json of every model that takes more than text."""


def draft_folder(document: ServeDocument) -> Path | None:
    """Where the draft model lies, if there is one."""
    return model_folder(document.draft) if document.draft else None


def check_vllm(document: ServeDocument, model: Path, draft: Path | None) -> list[str]:
    """What people may want to know of how the model is cut. Raises InvalidInput with all that cannot work."""
    config, sizes = _config(model), sizes_of(document.vllm)
    problems = [*_cut_problems(model, sizes), *_limit_problems(document, config)]
    if draft:
        found = _cut_problems(draft, Sizes(sizes.tensor))
        problems += [f"speculativeConfig.model, which is cut like the served one: {problem}" for problem in found]
    if problems:
        raise InvalidInput(problems)
    return [note for note in (uneven_layers(config, sizes),) if note]


def _cut_problems(model: Path, sizes: Sizes) -> list[str]:
    quantization = quantization_of(model)
    return parallel_problems(_config(model), sizes, quantization.group if quantization else 1)


def _limit_problems(document: ServeDocument, config: dict[str, Any]) -> list[str]:
    """vLLM itself says nothing of limits of a model that takes text alone."""
    limits = document.vllm.limit_mm_per_prompt if document.vllm else None
    if limits is None or any(SEES_OR_HEARS.search(key) for key in config):
        return []
    return ["spec.engine.vllm.limitMmPerPrompt: the model takes text alone; remove it"]


def _config(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config
