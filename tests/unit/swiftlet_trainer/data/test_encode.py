from typing import Any

import pytest
from swiftlet_trainer.data.encode import token_range


@pytest.mark.parametrize(
    ("before", "part", "after"),
    [
        ("system\n", "Hello there.<|im_end|>", "\nuser"),
        ("<|im_start|>", "日本 🙂🙂", "<|im_end|>"),
        ("", "  spaces in front", ""),
        ("a", "  and behind  ", "<|im_end|>"),
        ("the end", "<|im_end|>", ""),
    ],
)
def test_tokens_of_a_part_are_those_that_spell_it(tokenizer: Any, before: str, part: str, after: str) -> None:
    text = before + part + after
    encoding = tokenizer([text], add_special_tokens=False).encodings[0]
    first, last = token_range(encoding, len(before), len(before) + len(part), len(text))
    assert tokenizer.decode(encoding.ids[first:last]) == part
    assert tokenizer.decode(encoding.ids[:first]) == before


def test_token_that_began_before_the_part_is_left_out(tokenizer: Any) -> None:
    text = "turn\n\n\nHello"  # the first two line breaks are one token, the third is another
    encoding = tokenizer([text], add_special_tokens=False).encodings[0]
    first, last = token_range(encoding, len("turn\n"), len(text), len(text))
    assert tokenizer.decode(encoding.ids[first:last]) == "\nHello"
