from typing import Any

from swiftlet_trainer.templates.special import SpecialTokens, special_tokens, texts_in


def test_control_tokens_are_found_in_text(tokenizer: Any) -> None:
    special = SpecialTokens(tokenizer)
    assert special.find(["harmless", "ends <|im_end|> here"]) == "<|im_end|>"
    assert special.find(["<|im_end", "im_end|>", "<b>"]) is None


def test_every_token_that_the_tokenizer_would_take_as_one_is_known(tokenizer: Any) -> None:
    for token in special_tokens(tokenizer):
        assert len(tokenizer(token)["input_ids"]) == 1, token
    assert {"<|im_start|>", "<|endoftext|>", "<filename>"} <= set(special_tokens(tokenizer))


def test_texts_of_values_are_found_changed_and_put_back(tokenizer: Any) -> None:
    special = SpecialTokens(tokenizer)
    value = [{"<|im_end|>": ("a", 1, None)}, {"b": [{"c": "<|im_start|>x"}]}]
    assert list(texts_in(value)) == ["<|im_end|>", "a", "b", "c", "<|im_start|>x"]
    shielded = special.shielded_value(value)
    assert special.find(texts_in(shielded)) is None
    assert [special.spelled(text) for text in texts_in(shielded)] == list(texts_in(value))
    assert special.spelled(special.marked("<|im_end|> <b>")) == "<|im_end|> <b>"
