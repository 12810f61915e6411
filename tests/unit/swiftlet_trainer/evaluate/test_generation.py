"""Batches of answers against one answer at a time."""

from typing import Any

import pytest
import torch
from swiftlet_trainer.evaluate.generation import end_tokens, generate, padding_token

PROMPTS = ["Who are you?", "Name three fruits that grow on trees in the garden behind the house.", "2 + 2 ="]


@pytest.fixture
def prompts(tokenizer: Any) -> list[list[int]]:
    return [tokenizer(text)["input_ids"] for text in PROMPTS]


def _greedy(model: Any, ids: list[int], ends: list[int], limit: int) -> list[int]:
    """One token at a time without a cache: the definition of greedy."""
    made: list[int] = []
    while len(made) < limit:
        token = int(model(input_ids=torch.tensor([ids + made])).logits[0, -1].argmax())
        if token in ends:
            break
        made.append(token)
    return made


def test_batch_gives_the_same_answers_as_one_by_one(model: Any, tokenizer: Any, prompts: list[list[int]]) -> None:
    together = generate(model, tokenizer, prompts, max_tokens=12, batch_size=3)
    for ids, (answer, count) in zip(prompts, together, strict=True):
        expected = _greedy(model, ids, end_tokens(model, tokenizer), 12)
        assert answer == tokenizer.decode(expected, skip_special_tokens=True)
        assert count == len(expected)


def test_answer_stops_before_the_end_token(
    model: Any, tokenizer: Any, prompts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _greedy(model, prompts[0], [], 8)
    cut = made.index(made[4])  # its first occurrence
    monkeypatch.setattr(model.generation_config, "eos_token_id", [made[4]])
    ((answer, count),) = generate(model, tokenizer, prompts[:1], max_tokens=8, batch_size=1)
    assert count == cut
    assert answer == tokenizer.decode(made[:cut], skip_special_tokens=True)


def test_sampling_settings_of_the_model_are_left_aside(
    model: Any, tokenizer: Any, prompts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = generate(model, tokenizer, prompts, max_tokens=10, batch_size=3)
    monkeypatch.setattr(model.generation_config, "do_sample", True)
    monkeypatch.setattr(model.generation_config, "repetition_penalty", 5.0)
    assert generate(model, tokenizer, prompts, max_tokens=10, batch_size=3) == plain


def test_end_tokens_are_those_of_model_and_tokenizer(model: Any, tokenizer: Any) -> None:
    assert tokenizer.eos_token_id in end_tokens(model, tokenizer)
    assert padding_token(model, tokenizer) == tokenizer.pad_token_id
