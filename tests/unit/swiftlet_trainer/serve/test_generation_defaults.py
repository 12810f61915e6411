"""What vLLM is told of a model's generation config."""

import json
from pathlib import Path
from typing import Any

from swiftlet_trainer.serve.generation_defaults import generation_defaults, write_generation_defaults
from swiftlet_trainer.serve.vllm_process import parse

OWN = {"temperature": 0.6, "top_p": 0.9, "repetition_penalty": 1.1, "max_new_tokens": 7, "eos_token_id": [0]}


def test_greedy_answers_are_without_the_models_penalties(tokenizer: Any, tmp_path: Path) -> None:
    (tmp_path / "generation_config.json").write_text(json.dumps(OWN))
    assert generation_defaults(tmp_path, tokenizer) == {"temperature": 0.6, "top_p": 0.9, "eos_token_id": [0, 2]}


def test_vllm_reads_them_where_they_are_written(smollm2: Path, tmp_path: Path) -> None:
    """Its own reading of the folder: what a request gets when it says nothing, and where it stops."""
    from vllm.transformers_utils.config import try_get_generation_config

    folder = write_generation_defaults(smollm2, tmp_path / "generation")
    assert parse(["--model", str(smollm2), "--generation-config", str(folder)]).generation_config == str(folder)
    found = try_get_generation_config(str(folder), trust_remote_code=False)
    assert found is not None and found.to_diff_dict()["eos_token_id"] == [2]
