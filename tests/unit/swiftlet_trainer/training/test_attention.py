"""Packed rows, each by itself."""

from typing import Any

import pytest
import torch
from swiftlet_trainer.tasks.sft.loss import nll
from swiftlet_trainer.training import row_by_row
from swiftlet_trainer.training.attention import ROW_BY_ROW, keep_rows_apart
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.training.heads.tokens import attach_token_scores

LENGTHS = (7, 4, 11)
PACKED = {
    "input_ids": list(range(3, 25)),
    "labels": list(range(3, 25)),
    "seq_lengths": list(LENGTHS),
}


def batch() -> dict[str, torch.Tensor]:
    longer = {"input_ids": list(range(40, 70)), "labels": list(range(40, 70)), "seq_lengths": [30]}
    return Collator(pad_token_id=0, packed=True)([PACKED, longer])["inputs"]


def hidden(model: Any, changes: dict[int, int] | None = None) -> torch.Tensor:
    inputs = batch()
    for position, token in (changes or {}).items():
        inputs["input_ids"][0, position] = token
    for name in ("labels", "bounds"):  # of the heads
        inputs.pop(name)
    found: torch.Tensor = model.base_model(**inputs, use_cache=False).last_hidden_state
    return found


def test_it_means_what_the_mask_means(tiny: Any) -> None:
    with torch.no_grad():
        expected = hidden(tiny)
        assert keep_rows_apart(tiny, ROW_BY_ROW, 30)
        assert tiny.config._attn_implementation == ROW_BY_ROW
        torch.testing.assert_close(hidden(tiny), expected, rtol=1e-5, atol=1e-5)


def test_no_row_sees_another(tiny: Any) -> None:
    assert keep_rows_apart(tiny, ROW_BY_ROW, 30)
    with torch.no_grad():
        before, after = hidden(tiny), hidden(tiny, {8: 99})
    same = (before == after).all(dim=-1)[0]
    assert same[:8].all(), "what comes before, in its own row and in the first"
    assert not same[8:11].any(), "the changed token and what follows it in its row"
    assert same[11:].all(), "the rows behind it"


def test_the_gradients_are_those_of_the_mask(tiny: Any) -> None:
    attach_token_scores(tiny)

    def gradients() -> list[torch.Tensor]:
        tiny.zero_grad()
        nll(tiny(**batch())).backward()
        return [parameter.grad.clone() for parameter in tiny.parameters()]

    expected = gradients()
    assert keep_rows_apart(tiny, ROW_BY_ROW, 30)
    for found, wanted in zip(gradients(), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_a_window_shorter_than_a_row_keeps_the_mask(tiny: Any) -> None:
    tiny.config.sliding_window = 16
    assert not keep_rows_apart(tiny, ROW_BY_ROW, 30)
    assert tiny.config._attn_implementation == "sdpa"
    assert keep_rows_apart(tiny, ROW_BY_ROW, 16)


def test_dropped_scores_keep_the_mask(tiny: Any) -> None:
    tiny.config.attention_dropout = 0.1
    assert not keep_rows_apart(tiny, ROW_BY_ROW, 30)


@pytest.mark.parametrize("short", [row_by_row.SHORT_ROW, 8], ids=["short rows", "also long rows"])
def test_in_bf16_the_gradients_are_as_near_to_fp32_as_those_of_the_mask(
    tiny: Any, short: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_by_row, "SHORT_ROW", short)
    attach_token_scores(tiny)

    def gradients(model: Any) -> torch.Tensor:
        model.zero_grad()
        nll(model(**batch())).backward()
        return torch.cat([parameter.grad.float().flatten() for parameter in model.parameters()])

    exact = gradients(tiny)
    tiny.to(torch.bfloat16)
    masked = gradients(tiny)
    assert keep_rows_apart(tiny, ROW_BY_ROW, 30)
    assert (gradients(tiny) - exact).norm() < 1.1 * (masked - exact).norm()
