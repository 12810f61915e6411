"""What is known of vLLM and a model before minutes are spent on starting it."""

import json
from pathlib import Path
from typing import Any

from swiftlet.wire.documents import ServeDocument

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.loading import model_folder
from swiftlet_trainer.serve.parallel_sizes import Sizes, parallel_problems, sizes_of, uneven_layers


def draft_folder(document: ServeDocument) -> Path | None:
    """Where the draft model lies, if there is one."""
    return model_folder(document.vllm.draft) if document.vllm and document.vllm.draft else None


def check_vllm(document: ServeDocument, model: Path, draft: Path | None) -> list[str]:
    """What people may want to know of how the model is served. Raises InvalidInput with all that cannot work."""
    config, sizes = _config(model), sizes_of(document.vllm)
    problems = parallel_problems(config, sizes)
    if draft:
        found = parallel_problems(_config(draft), Sizes(sizes.tensor))
        problems += [f"speculativeConfig.model, which is cut like the served one: {problem}" for problem in found]
    if problems:
        raise InvalidInput(problems)
    return [note for note in (uneven_layers(config, sizes),) if note]


def _config(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config
