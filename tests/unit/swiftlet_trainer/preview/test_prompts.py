"""Answers beside the prompts of generation, where both can differ."""

from typing import Any

import pytest
from swiftlet_trainer.preview.prompts import Prompts
from swiftlet_trainer.preview.rows import Learnt
from swiftlet_trainer.templates.segments import Rendered, Segments

TURNS = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]


@pytest.fixture(scope="module")
def segments(tokenizer: Any) -> Segments:
    return Segments(tokenizer)


def row(segments: Segments, text: str, answer: str = "a<|im_end|>") -> Learnt:
    start = text.index(answer)
    rendered = Rendered(text, [(start, start + len(answer))], messages=TURNS)
    (parts,) = segments.encode([rendered])
    assert isinstance(parts, list)
    ids = [token for part in parts for token in part]
    ends = [0, len(parts[0]), len(parts[0]) + len(parts[1]), len(ids)]
    return Learnt(ids, [1.0] * len(ids), rendered, parts, ends, 0)


def test_an_answer_behind_its_prompt_an_empty_thought_and_another_text(tokenizer: Any, segments: Segments) -> None:
    prompts = Prompts(tokenizer, segments)
    text = tokenizer.apply_chat_template(TURNS[:1], tokenize=False, add_generation_prompt=True)
    assert prompts.findings(row(segments, f"{text}a<|im_end|>")) == ["same"]
    assert prompts.findings(row(segments, f"{text}<think>\n\n</think>\n\na<|im_end|>")) == ["same"]
    assert prompts.findings(row(segments, f"{text}Well, a<|im_end|>")) == ["other"]


def test_the_same_text_as_other_tokens_is_found(tokenizer: Any, segments: Segments) -> None:
    text = tokenizer.apply_chat_template(TURNS[:1], tokenize=False, add_generation_prompt=True)
    learnt = row(segments, f"{text}a<|im_end|>")
    learnt.parts[0].insert(3, learnt.parts[0][2])
    assert Prompts(tokenizer, segments).findings(learnt) == ["other"]
