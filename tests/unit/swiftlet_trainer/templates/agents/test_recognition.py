"""Which agent template reads what published chat templates write."""

from typing import Any

import pytest
from swiftlet_trainer.templates.agents.recognition import recognized


@pytest.mark.parametrize(
    ("published", "name"),
    [
        ("qwen2_5", "hermes"),
        ("qwen3", "hermes"),
        ("qwen3_5_think", "qwen3_coder"),
        ("nemotron_3_nano", "qwen3_coder"),
        ("gemma3", None),  # writes no tools
        ("llama3_1", None),  # with control tokens that this tokenizer does not have
    ],
)
def test_the_format_is_known_by_what_is_written(chat_template: Any, published: str, name: str | None) -> None:
    found = recognized(chat_template(published))
    assert (found.name if found else None) == name


def test_a_model_whose_template_knows_no_tools_has_none(tokenizer: Any) -> None:
    assert recognized(tokenizer) is None
