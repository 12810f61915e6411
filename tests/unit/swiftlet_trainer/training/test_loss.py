"""The fast loss against the plain one: fp32, padded, full logits."""

from typing import Any

import pytest
import torch
from swiftlet_trainer.training import loss
from swiftlet_trainer.training.collate import IGNORED, Collator
from swiftlet_trainer.training.loss import attach_labelled_loss


def plain_loss(model: Any, rows: list[dict[str, Any]]) -> torch.Tensor:
    """Sum over labelled tokens by transformers' own forward, row by row."""
    total = torch.zeros(())
    for row in rows:
        labels = torch.tensor([row["labels"]])
        out = model(input_ids=torch.tensor([row["input_ids"]]), labels=labels)
        total = total + out.loss * (labels[:, 1:] != IGNORED).sum()
    return total


def gradients(model: Any) -> list[torch.Tensor]:
    found = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    return found


@pytest.mark.parametrize("chunk_bytes", [loss.CHUNK_BYTES, 7 * 4 * 300])
@pytest.mark.parametrize("block_bytes", [loss.BLOCK_BYTES, 3 * 4 * 300])
def test_loss_and_gradients_are_those_of_full_logits(
    tiny: Any, rows: list[dict[str, Any]], chunk_bytes: int, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the labelled positions are computed in chunks of 7, and worked on 3 at a time."""
    monkeypatch.setattr(loss, "CHUNK_BYTES", chunk_bytes)
    monkeypatch.setattr(loss, "BLOCK_BYTES", block_bytes)
    expected = plain_loss(tiny, rows)
    expected.backward()
    expected_gradients = gradients(tiny)
    attach_labelled_loss(tiny)
    found = tiny(**Collator(0)(rows)).loss
    found.backward()
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-5)
    for one, other in zip(gradients(tiny), expected_gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_packed_rows_have_the_loss_of_separate_ones(tiny: Any, rows: list[dict[str, Any]]) -> None:
    expected = plain_loss(tiny, rows)
    attach_labelled_loss(tiny)
    packed = {
        "input_ids": [token for row in rows for token in row["input_ids"]],
        "labels": [label for row in rows for label in row["labels"]],
        "seq_lengths": [row["length"] for row in rows],
    }
    found = tiny(**Collator(0, packed=True)([packed])).loss
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_packed_row_does_not_see_another(tiny: Any, attention: str) -> None:
    tiny.set_attn_implementation(attention)
    generator = torch.Generator().manual_seed(2)
    tokens = torch.randint(3, 300, (2, 30), generator=generator)
    changed = tokens.clone()
    changed[:, 10:20] = torch.randint(3, 300, (2, 10), generator=generator)
    row = {"input_ids": [0] * 30, "labels": [0] * 30, "seq_lengths": [10, 10, 10]}
    positions = Collator(0, packed=True)([row, row])["position_ids"]
    before = tiny(input_ids=tokens, position_ids=positions, use_cache=False).logits
    after = tiny(input_ids=changed, position_ids=positions, use_cache=False).logits
    assert torch.equal(before[:, :10], after[:, :10])
    assert torch.equal(before[:, 20:], after[:, 20:])
    assert not torch.allclose(before[:, 10:20], after[:, 10:20])
    # Without the restarts a row would see what comes before it, so the test can tell.
    assert not torch.allclose(tiny(input_ids=changed, use_cache=False).logits[:, 20:], before[:, 20:])


def test_padding_changes_nothing(tiny: Any, rows: list[dict[str, Any]]) -> None:
    attach_labelled_loss(tiny)
    together = tiny(**Collator(0)(rows)).loss
    apart = sum(tiny(**Collator(0)([row])).loss for row in rows)
    torch.testing.assert_close(together, apart, rtol=1e-6, atol=1e-5)


def test_a_batch_without_labels_gives_zero_and_not_nan(tiny: Any) -> None:
    attach_labelled_loss(tiny)
    found = tiny(**Collator(0)([{"input_ids": [5, 6, 7], "labels": [IGNORED] * 3}])).loss
    found.backward()
    assert found.item() == 0.0
    assert all(bool(torch.isfinite(one).all()) for one in gradients(tiny))


def test_logits_are_scaled_and_capped_where_the_architecture_says_so() -> None:
    head = torch.nn.Linear(4, 10, bias=False)
    hidden, labels = torch.randn(1, 3, 4, requires_grad=True), torch.tensor([[1, 2, 3]])
    logits = head(hidden)[0] * 0.5
    expected = torch.nn.functional.cross_entropy(2 * torch.tanh(logits / 2), labels[0], reduction="sum")
    found = loss.labelled_loss(hidden, labels, loss.Logits(head, 10, 0.5, 2.0))
    torch.testing.assert_close(found, expected)
    weights = (hidden, head.weight)
    for one, other in zip(torch.autograd.grad(found, weights), torch.autograd.grad(expected, weights), strict=True):
        torch.testing.assert_close(one, other)


def test_in_bf16_the_loss_is_summed_in_fp32() -> None:
    head = torch.nn.Linear(32, 300, bias=False, dtype=torch.bfloat16)
    hidden = torch.randn(1, 500, 32, dtype=torch.bfloat16, requires_grad=True)
    labels = torch.randint(0, 300, (1, 500))
    found = loss.labelled_loss(hidden, labels, loss.Logits(head, 300))
    expected = torch.nn.functional.cross_entropy(head(hidden)[0].float(), labels[0], reduction="sum")
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-3)
    (mine,), (plain,) = torch.autograd.grad(found / 500, hidden), torch.autograd.grad(expected / 500, hidden)
    torch.testing.assert_close(mine, plain, rtol=0.03, atol=0.01 * float(plain.abs().max()))


def test_evaluation_has_the_loss_of_training(tiny: Any, rows: list[dict[str, Any]]) -> None:
    attach_labelled_loss(tiny)
    trained = tiny(**Collator(0)(rows)).loss
    with torch.no_grad():
        torch.testing.assert_close(tiny(**Collator(0)(rows)).loss, trained, rtol=1e-6, atol=1e-5)


def test_a_second_backward_pass_is_refused_and_not_wrong() -> None:
    head = torch.nn.Linear(4, 10, bias=False)
    found = loss.labelled_loss(torch.randn(1, 3, 4), torch.tensor([[1, 2, 3]]), loss.Logits(head, 10))
    found.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        found.backward()
