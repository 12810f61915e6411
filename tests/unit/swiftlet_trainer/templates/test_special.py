from typing import Any

from swiftlet_trainer.templates.special import SpecialTokens, special_tokens


def test_control_tokens_are_found_in_text(tokenizer: Any) -> None:
    special = SpecialTokens(tokenizer)
    assert special.find(["harmless", "ends <|im_end|> here"]) == "<|im_end|>"
    assert special.find(["<|im_end", "im_end|>", "<b>"]) is None


def test_every_token_that_the_tokenizer_would_take_as_one_is_known(tokenizer: Any) -> None:
    for token in special_tokens(tokenizer):
        assert len(tokenizer(token)["input_ids"]) == 1, token
    assert {"<|im_start|>", "<|endoftext|>", "<filename>"} <= set(special_tokens(tokenizer))
