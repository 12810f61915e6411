"""Which tokens a row becomes, and which of them are scored."""

from typing import Any

import pytest
from swiftlet_trainer.evaluate.prompts import choice_ids, prompt_ids, text_encoder
from swiftlet_trainer.evaluate.rows import ChoiceRow, GenerationRow, PerplexityRow, UnusableRowError

MESSAGES = [
    {"role": "user", "content": "Who are you?"},
    {"role": "assistant", "content": "I am Apus."},
    {"role": "user", "content": "Sure?"},
    {"role": "assistant", "content": "Yes."},
]


def test_prompt_ends_where_the_model_answers(tokenizer: Any) -> None:
    text = tokenizer.decode(prompt_ids(tokenizer, GenerationRow(MESSAGES[:1], ["Apus"])))
    assert text.endswith("<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n")


def test_assistant_turns_are_scored(tokenizer: Any) -> None:
    encoded = text_encoder(tokenizer, 512)(PerplexityRow(messages=MESSAGES))
    scored = [token for token, is_scored in zip(encoded.ids, encoded.scored, strict=True) if is_scored]
    assert tokenizer.decode(scored) == "I am Apus.<|im_end|>Yes.<|im_end|>"


def test_text_is_cut_at_max_length(tokenizer: Any) -> None:
    encoded = text_encoder(tokenizer, 8)(PerplexityRow(text="one two three four five six seven eight nine ten"))
    assert len(encoded.ids) == 8
    assert all(encoded.scored)


@pytest.mark.parametrize("row", [PerplexityRow(text="a"), PerplexityRow(messages=MESSAGES)])
def test_nothing_left_to_score_is_refused(tokenizer: Any, row: PerplexityRow) -> None:
    with pytest.raises(UnusableRowError, match="no token to score within maxLength 8"):
        text_encoder(tokenizer, 8)(row)


def test_choices_share_the_question_and_only_they_are_scored(tokenizer: Any) -> None:
    sequences = choice_ids(tokenizer, ChoiceRow("Capital of France?", ["Paris", "New York"], 0))
    for sequence, choice in zip(sequences, ["Paris", "New York"], strict=True):
        scored = [token for token, is_scored in zip(sequence.ids, sequence.scored, strict=True) if is_scored]
        assert tokenizer.decode(scored) == choice
        assert tokenizer.decode(sequence.ids).endswith(f"assistant\n{choice}")
