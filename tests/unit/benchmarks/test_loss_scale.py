"""Weights of our own as the comparison reads them."""

import json
from pathlib import Path
from typing import Any

import pytest
from loss_scale import bytes_of, ours
from loss_scale_cases import AGENTS, CHAINS, OWN, Case, cases
from real_tokenizers import CHATML


@pytest.fixture
def chatml(smollm2: Path) -> Any:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    tokenizer.chat_template = CHATML
    return tokenizer


def test_cases_have_every_chain_and_agent_template() -> None:
    made = cases(len(CHAINS) * len(AGENTS))
    assert {(case.chain, case.agent) for case in made if case.agent} == {(c, a) for c in CHAINS for a in AGENTS}
    assert any(mark is not None for case in made for mark in case.marks)
    assert all(set(turn) == {"role", "content"} for case in made for turn in case.plain["messages"])


def test_tokens_have_their_bytes_and_weights(chatml: Any, tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Go"}, {"role": "assistant", "content": "Plan: 日本"}]
    (found,) = ours(chatml, [Case("answers", "mine", "", {"messages": turns})], tmp_path / "row.jsonl")
    assert not isinstance(found, str)
    assert b"".join(text for text, _ in found).decode().endswith("<|im_start|>assistant\nPlan: 日本<|im_end|>\n")
    assert json.loads(OWN["mine"])["Plan:"] == [1.0, 0.5]
    assert [weight for _, weight in found if weight] == [1, 1, *[0.5] * (len(found) - found.index((b"Plan", 1)) - 4), 1]


def test_a_row_without_anything_to_learn_says_so(chatml: Any, tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Go"}, {"role": "assistant", "content": "x", "loss": False}]
    (found,) = ours(chatml, [Case("answers", "default", "", {"messages": turns})], tmp_path / "row.jsonl")
    assert isinstance(found, str) and "not_learnt" in found


@pytest.mark.parametrize(
    ("token", "text"), [("Ġæĺ¥", " 春"), ("▁春", " 春"), ("<0x0A>", "\n"), ("<|im_end|>", "<|im_end|>")]
)
def test_bytes_of_tokens(token: str, text: str) -> None:
    assert bytes_of(token) == text.encode()
