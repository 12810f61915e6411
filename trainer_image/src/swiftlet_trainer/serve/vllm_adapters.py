"""What vLLM refuses of an adapter when it loads it: named, and never tried again."""

import re

from swiftlet.api.v1alpha1.engines.registry import other_engines
from vllm.entrypoints.openai.models.serving import OpenAIServingModels

PASSING = re.compile(r"out of memory|EngineCore encountered|shutting down", re.IGNORECASE)
"""What may be otherwise the next time, and is no fault of the adapter's."""


class RefusedAdapterError(Exception):
    """Says which adapter, why, and what to do."""


def name_refused_adapters() -> None:
    """Have a server made from now on raise RefusedAdapterError at its start."""
    OpenAIServingModels.init_static_loras = _init_static_loras


_load_all = OpenAIServingModels.init_static_loras


async def _init_static_loras(self: OpenAIServingModels) -> None:
    try:
        await _load_all(self)
    except ValueError as error:
        cause = " ".join(str(error).split())
        if PASSING.search(cause):
            raise
        refused = next(one for one in self.static_lora_modules if one.name not in self.lora_requests)
        raise RefusedAdapterError(
            f"adapter {refused.name}: {refused.path}: vllm cannot put it on the model: {cause}; "
            f"use the base that it was trained on, or set spec.engine.name to {other_engines('vllm')}"
        ) from error
