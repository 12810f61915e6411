"""Rows that go on from what another one begins with mean what whole rows mean."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from swiftlet_trainer.data.encode import IGNORED
from swiftlet_trainer.training import row_by_row
from swiftlet_trainer.training.attention import ROW_BY_ROW, keep_rows_apart
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.training.heads.score import attach_scores
from swiftlet_trainer.training.heads.tokens import attach_token_scores
from transformers import LlamaConfig, LlamaForSequenceClassification

PROMPT = [7, 8, 9, 10, 11]


def group(prompt: Sequence[int], *answers: Sequence[int], learnt: int = 0) -> dict[str, Any]:
    """A row of one group. learnt: last tokens of the prompt that have labels, too, with weights of their own."""
    ids = [[*prompt, *answer] for answer in answers]
    begins = len(prompt) - learnt
    return {
        "input_ids": [token for one in ids for token in one],
        "labels": [token for one in ids for token in [*[IGNORED] * begins, *one[begins:]]],
        "weights": [
            weight for one in ids for weight in [*[0.0] * begins, *[0.5] * learnt, *[1.0] * len(one[len(prompt) :])]
        ],
        "seq_lengths": [len(one) for one in ids],
        "group_sizes": [len(ids)],
    }


def joined(*rows: dict[str, Any]) -> dict[str, Any]:
    """A packed row."""
    return {name: [one for row in rows for one in row[name]] for name in rows[0]}


PAIR = group(PROMPT, [20, 21, 22], [30, 31])
GROUPS = {
    "a pair": PAIR,
    "several rejected": group(PROMPT, [20, 21], [30, 31, 32], [40], [20, 21, 50]),
    "answers that begin alike": group(PROMPT, [20, 21, 22, 23], [20, 21, 30]),
    "the same answers": group(PROMPT, [20, 21], [20, 21]),
    "no prompt": group([], [20, 21, 22], [30, 31]),
    "one begins with the other": group(PROMPT, [20, 21, 22, 23], [20, 21]),
    "the other begins with one": group(PROMPT, [20, 21], [20, 21, 22, 23], [20, 30]),
    "prompts that are learnt": group(PROMPT, [20, 21], [30, 31, 32], learnt=3),
    "a lone sequence": group(PROMPT, [20, 21]),
    "packed": joined(PAIR, group([5, 6], [20], [30, 31], [32]), group(PROMPT, [40, 41], [50])),
}
"""By what is peculiar about their sequences."""
CROWD = [*GROUPS.values()]


def gradients(model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """What the head says, and gradients of all weights, each of what it says having a part of its own in them."""
    model.zero_grad()
    found = model(**inputs)
    said = found[0] if getattr(found, "weight", None) is None else found[0] * found.weight
    (said.flatten() * torch.linspace(-1, 2, said.numel())).sum().backward()
    return said.detach(), torch.cat([one.grad.flatten() for one in model.parameters()])


def scorer() -> Any:
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = LlamaConfig(vocab_size=300, num_labels=1, pad_token_id=0, num_key_value_heads=2, **sizes)
    model = LlamaForSequenceClassification(config)
    attach_scores(model)
    return model


@pytest.mark.parametrize("rows", [[one] for one in CROWD] + [CROWD], ids=[*GROUPS, "all of them"])
@pytest.mark.parametrize("head", ["tokens", "score"])
def test_what_rows_share_is_computed_once_and_means_the_same(tiny: Any, head: str, rows: list[dict[str, Any]]) -> None:
    if head == "tokens":
        attach_token_scores(tiny)
    model = tiny if head == "tokens" else scorer()
    apart = gradients(model, Collator(0)(rows)["inputs"])
    assert keep_rows_apart(model, ROW_BY_ROW, 30)
    whole = gradients(model, Collator(0, padding_free=True)(rows)["inputs"])
    shared = gradients(model, Collator(0, padding_free=True, sharing=True)(rows)["inputs"])
    for expected in (apart, whole):
        torch.testing.assert_close(shared, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("short", [row_by_row.SHORT_ROW, 4], ids=["short rows", "also long rows"])
def test_in_bf16_gradients_are_as_near_to_fp32_as_those_of_whole_rows(
    tiny: Any, short: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_by_row, "SHORT_ROW", short)
    attach_token_scores(tiny)
    whole, shared = (Collator(0, padding_free=True, sharing=each)(CROWD)["inputs"] for each in (False, True))
    assert keep_rows_apart(tiny, ROW_BY_ROW, 30)
    exact = gradients(tiny, whole)[1]
    tiny.to(torch.bfloat16)
    of_whole, of_shared = (gradients(tiny, inputs)[1].float() for inputs in (whole, shared))
    assert (of_shared - exact).norm() < 1.1 * (of_whole - exact).norm()


@pytest.mark.parametrize("changed", [2, 6, 9])
def test_rows_see_what_they_share_and_themselves(tiny: Any, changed: int) -> None:
    """Of [prompt and first answer | second answer | another row]."""
    assert keep_rows_apart(tiny, ROW_BY_ROW, 30)
    positions = torch.tensor([[0, 1, 2, 3, 4, 5, 6, 4, 5, 6, 0, 1]])
    tokens = torch.arange(20, 32)[None]

    def hidden(tokens: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = tiny.base_model(input_ids=tokens, position_ids=positions, use_cache=False)
        return found.last_hidden_state[0]

    with torch.no_grad():
        before = hidden(tokens)
        tokens[0, changed] = 99
        moved = before.ne(hidden(tokens)).any(-1).nonzero().flatten().tolist()
    assert moved == {2: [*range(2, 10)], 6: [6], 9: [9]}[changed]


def test_parts_are_told_from_positions() -> None:
    positions = torch.tensor([[0, 1, 2, 3, 1, 2, 1, 0, 0, 1, 2, 2]])
    parts = [(part.begun, part.own) for part in row_by_row.row_parts(positions)]
    rows = [(0, 0, 0, 4), (0, 1, 4, 6), (0, 1, 6, 7), (7, 7, 7, 8), (8, 8, 8, 11), (8, 10, 11, 12)]
    assert parts == [(slice(first, last), slice(start, end)) for first, last, start, end in rows]
