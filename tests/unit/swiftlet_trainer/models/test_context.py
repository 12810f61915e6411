"""The context that a config tells of."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.models.context import context_length


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"max_position_embeddings": 2048}, 2048),
        ({"n_positions": 1024}, 1024),
        ({"text_config": {"max_position_embeddings": 4096}, "max_position_embeddings": 8}, 4096),
        ({"max_position_embeddings": 32768, "rope_scaling": {"type": "yarn", "factor": 4.0}}, 131072),
        ({"max_position_embeddings": 131072, "rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, 131072),
        ({"max_position_embeddings": 2048, "rope_parameters": {"rope_type": "default"}}, 2048),
        ({"hidden_size": 64}, None),
    ],
)
def test_the_context(tmp_path: Path, config: dict[str, Any], expected: int | None) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert context_length(tmp_path) == expected


def test_a_config_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    assert context_length(tmp_path) is None
    (tmp_path / "config.json").write_text("{")
    assert context_length(tmp_path) is None
