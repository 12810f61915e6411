"""What vLLM takes from a model's generation_config.json for requests that do not say it themselves."""

import json
from pathlib import Path
from typing import Any

from swiftlet_trainer.templates.end_token import GENERATION_CONFIG, configured_end, stopping_tokens

RECOMMENDED = ("temperature", "top_k", "top_p", "min_p")
"""How to sample, where a request asks for nothing else: temperature 0 overrides them all. Penalties and limits are left
out, since vLLM would apply them to greedy answers too. Source: vllm.config.model, get_diff_sampling_param."""


def generation_defaults(model: Path, tokenizer: Any) -> dict[str, Any]:
    """The sampling that the model in `model` recommends, and every token that ends an answer."""
    file = model / GENERATION_CONFIG
    own = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    kept = {name: own[name] for name in RECOMMENDED if own.get(name) is not None}
    return {**kept, "eos_token_id": stopping_tokens(configured_end(model), tokenizer)}


def write_generation_defaults(model: Path, folder: Path) -> Path:
    """`folder`, for vLLM's --generation-config, with the defaults of the model in `model`."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False, local_files_only=True)
    folder.mkdir(parents=True, exist_ok=True)
    content = json.dumps(generation_defaults(model, tokenizer), indent=2, sort_keys=True)
    (folder / GENERATION_CONFIG).write_text(content + "\n", encoding="utf-8")
    return folder
