"""The end that chats teach, beside the ends that files name."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.templates.end_token import configured_end, end_warning, learnt_end, stopping_tokens

LOOP = "{% for m in messages %}"
TEMPLATES = {
    "control token": (LOOP + "{{ m['role'] }}: {{ m['content'] }}<|im_end|>\n{% endfor %}", "<|im_end|>"),
    "the first of several": (LOOP + "{{ m['content'] }}\n<|im_end|><|endoftext|>{% endfor %}", "<|im_end|>"),
    "eos_token": (LOOP + "{{ m['content'] ~ eos_token }}{% endfor %}", "<|im_end|>"),
    "none": (LOOP + "{{ m['role'] }}: {{ m['content'] }}\n\n{% endfor %}", None),
    "a token before the answer only": (LOOP + "<|im_start|>{{ m['content'] }}\n{% endfor %}", None),
    "changed answers": (LOOP + "{{ m['content'] | upper }}<|im_end|>{% endfor %}", None),
    "refuses": ("{{ raise_exception('no') }}", None),
    "no template": (None, None),
}


@pytest.mark.parametrize(("template", "expected"), TEMPLATES.values(), ids=TEMPLATES)
def test_the_end_is_what_the_template_puts_after_an_answer(
    tokenizer: Any, template: str | None, expected: str | None
) -> None:
    own = copy.deepcopy(tokenizer)
    own.chat_template = template
    end = learnt_end(own)
    assert (None if end is None else own.convert_ids_to_tokens(end)) == expected


@pytest.fixture
def base(tokenizer: Any) -> Any:
    """The tokenizer of a base model that brings a chat template: its end is not the template's."""
    own = copy.deepcopy(tokenizer)
    own.eos_token = "<|endoftext|>"
    return own


@pytest.mark.parametrize(("configured", "expected"), [(None, [0, 2]), (0, [0, 2]), ([0, 5], [0, 2, 5])])
def test_generation_stops_at_every_one_of_them(base: Any, configured: Any, expected: list[int]) -> None:
    assert stopping_tokens(configured, base) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"generation_config.json": {"eos_token_id": [3, 4]}, "config.json": {"eos_token_id": 1}}, [3, 4]),
        ({"config.json": {"eos_token_id": 1}}, 1),
        ({"config.json": {"text_config": {"eos_token_id": 7}}}, 7),
        ({"generation_config.json": {}}, None),
    ],
)
def test_the_configured_end_is_found_where_transformers_finds_it(
    tmp_path: Path, files: dict[str, Any], expected: Any
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    assert configured_end(tmp_path) == expected


def test_who_would_not_stop_is_warned(base: Any, tokenizer: Any, tmp_path: Path) -> None:
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": 0}')
    warning = str(end_warning(tmp_path, base))
    assert "ends answers with <|im_end|>, the model's files with <|endoftext|>" in warning
    assert end_warning(tmp_path, tokenizer) is None
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [0, 2]}')
    assert end_warning(tmp_path, base) is None
