"""The fields of spec.engine.vllm as vLLM's arguments: each is named as its argument is."""

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from swiftlet.api.v1alpha1.engines.vllm_block import SpeculativeConfig, Vllm
from swiftlet.wire.documents import ResolvedVllm


def field_arguments(vllm: ResolvedVllm, draft: Path | None) -> list[str]:
    """The arguments for what is set; vLLM's defaults hold for the rest. draft: folder of the draft model."""
    return [argument for name in Vllm.model_fields for argument in _arguments(name, getattr(vllm, name), draft)]


def _arguments(name: str, value: object, draft: Path | None) -> Iterator[str]:
    flag = name.replace("_", "-")
    if value is None:
        return
    if isinstance(value, bool):
        yield f"--{flag}" if value else f"--no-{flag}"
        return
    yield f"--{flag}"
    yield _json(value, draft) if isinstance(value, BaseModel) else str(value)


def _json(value: BaseModel, draft: Path | None) -> str:
    """vLLM's configuration objects keep their names with underscores; a model is the folder in the pod."""
    said = value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, SpeculativeConfig) and draft is not None:
        said["model"] = str(draft)
    return json.dumps(said)
