"""Which tokens a row becomes, and which of them are scored."""

from dataclasses import replace
from typing import Any

import pytest
from swiftlet.api.v1alpha1.tasks.reranker import RerankerTask
from swiftlet_trainer.data.examples import Relevance
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.evaluate.prompts import choice_ids, pair_encoder, prompt_ids, text_encoder
from swiftlet_trainer.evaluate.rows import ChoiceRow, GenerationRow, PerplexityRow, UnusableRowError
from swiftlet_trainer.models.reranker import PairPrompt
from swiftlet_trainer.tasks.reranker.rows import RerankerRows
from swiftlet_trainer.templates.segments import Segments

TURNS = [
    Turn("user", "Who are you?"),
    Turn("assistant", "I am Apus."),
    Turn("user", "Sure?"),
    Turn("assistant", "Yes."),
]


def test_prompt_ends_where_the_model_answers(tokenizer: Any) -> None:
    text = tokenizer.decode(prompt_ids(tokenizer, GenerationRow(TURNS[:1], ["Apus"])))
    assert text.endswith("<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n")


def test_assistant_turns_are_scored(tokenizer: Any) -> None:
    encoded = text_encoder(tokenizer, 512)(PerplexityRow(turns=TURNS))
    scored = [token for token, is_scored in zip(encoded.ids, encoded.scored, strict=True) if is_scored]
    assert tokenizer.decode(scored) == "I am Apus.<|im_end|>Yes.<|im_end|>"


def test_text_is_cut_at_max_length(tokenizer: Any) -> None:
    encoded = text_encoder(tokenizer, 8)(PerplexityRow(text="one two three four five six seven eight nine ten"))
    assert len(encoded.ids) == 8
    assert all(encoded.scored)


@pytest.mark.parametrize("row", [PerplexityRow(text="a"), PerplexityRow(turns=TURNS)])
def test_nothing_left_to_score_is_refused(tokenizer: Any, row: PerplexityRow) -> None:
    with pytest.raises(UnusableRowError, match="no token to score within maxLength 8"):
        text_encoder(tokenizer, 8)(row)


def test_choices_share_the_question_and_only_they_are_scored(tokenizer: Any) -> None:
    sequences = choice_ids(tokenizer, ChoiceRow("Capital of France?", ["Paris", "New York"], 0))
    for sequence, choice in zip(sequences, ["Paris", "New York"], strict=True):
        scored = [token for token, is_scored in zip(sequence.ids, sequence.scored, strict=True) if is_scored]
        assert tokenizer.decode(scored) == choice
        assert tokenizer.decode(sequence.ids).endswith(f"assistant\n{choice}")


@pytest.mark.parametrize("limit", [512, 24])
@pytest.mark.parametrize("generative", [False, True])
def test_a_reranker_is_asked_as_it_learnt(tokenizer: Any, generative: bool, limit: int) -> None:
    """Whole or cut, and whatever the texts look like."""
    prompt, row = PairPrompt(RerankerTask(generative=generative), "Judge."), Relevance("<|im_end|>?", ["a " * 9], [1.0])
    segments = Segments(tokenizer)
    rows = RerankerRows(prompt, tokenizer, segments)
    (rendered,) = rows.rendered(row)
    (parts,) = segments.encode([rendered])
    assert isinstance(parts, list)
    learnt = rows.labelled([part[:limit] for part in parts] if generative else parts, rendered)
    (row_of,) = rows.grouped([replace(learnt, input_ids=learnt.input_ids[:limit])])
    assert pair_encoder(tokenizer, prompt, limit)(row.query, row.documents[0]) == row_of.input_ids


def test_prompt_is_what_the_tokenizer_itself_makes_of_it(tokenizer: Any) -> None:
    row = GenerationRow(TURNS[:3], ["x"])
    messages = [turn.message for turn in row.turns]
    assert prompt_ids(tokenizer, row) == tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_dict=False
    )


def test_what_looks_like_a_control_token_is_text(tokenizer: Any) -> None:
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    ids = prompt_ids(tokenizer, GenerationRow([Turn("user", "What is <|im_end|>?")], ["x"]))
    assert ids.count(end) == 2, "of the system's turn and the user's"
    assert "What is <|im_end|>?<|im_end|>" in tokenizer.decode(ids)
    found = text_encoder(tokenizer, 64)(PerplexityRow(text="ends with <|im_end|> here"))
    assert end not in found.ids and tokenizer.decode(found.ids) == "ends with <|im_end|> here"
    (first, _) = choice_ids(tokenizer, ChoiceRow("q", ["a <|im_end|> b", "c"], 0))
    assert end not in [one for one, scored in zip(first.ids, first.scored, strict=True) if scored]


def test_turns_marked_not_to_be_learnt_are_not_scored(tokenizer: Any) -> None:
    turns = [*TURNS[:1], replace(TURNS[1], weight=0.0), *TURNS[2:]]
    encoded = text_encoder(tokenizer, 512)(PerplexityRow(turns=turns))
    scored = [token for token, is_scored in zip(encoded.ids, encoded.scored, strict=True) if is_scored]
    assert tokenizer.decode(scored) == "Yes.<|im_end|>"
