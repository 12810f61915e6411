"""The fast loss against the plain one: fp32, padded, full logits."""

from typing import Any

import pytest
import torch
from swiftlet.kinds.finetunejob.estimate import LOGITS_CHUNK_BYTES
from swiftlet_trainer.training import loss
from swiftlet_trainer.training.attention import ROW_BY_ROW, keep_rows_apart
from swiftlet_trainer.training.collate import IGNORED, Collator
from swiftlet_trainer.training.logits import Logits
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


@pytest.mark.parametrize("chunk_bytes", [loss.CHUNK_BYTES["cpu"], 7 * 4 * 300])
@pytest.mark.parametrize("block_bytes", [loss.BLOCK_BYTES, 3 * 4 * 300])
def test_loss_and_gradients_are_those_of_full_logits(
    tiny: Any, rows: list[dict[str, Any]], chunk_bytes: int, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the labelled positions are computed in chunks of 7, and worked on 3 at a time."""
    monkeypatch.setitem(loss.CHUNK_BYTES, "cpu", chunk_bytes)
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


def test_rows_without_padding_have_the_loss_and_gradients_of_padded_ones(tiny: Any, rows: list[dict[str, Any]]) -> None:
    attach_labelled_loss(tiny)
    padded = tiny(**Collator(0)(rows)).loss
    padded.backward()
    expected = gradients(tiny)
    assert keep_rows_apart(tiny, ROW_BY_ROW, 40)
    found = tiny(**Collator(0, padding_free=True)(rows)).loss
    found.backward()
    torch.testing.assert_close(found, padded, rtol=1e-6, atol=1e-5)
    for one, other in zip(gradients(tiny), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


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


def test_in_bf16_the_loss_is_summed_in_fp32() -> None:
    head = torch.nn.Linear(32, 300, bias=False, dtype=torch.bfloat16)
    hidden = torch.randn(1, 500, 32, dtype=torch.bfloat16, requires_grad=True)
    labels = torch.randint(0, 300, (1, 500))
    found = loss.labelled_loss(hidden, labels, Logits(head, 300)).loss
    expected = torch.nn.functional.cross_entropy(head(hidden)[0].float(), labels[0], reduction="sum")
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-3)
    (mine,), (plain,) = torch.autograd.grad(found / 500, hidden), torch.autograd.grad(expected / 500, hidden)
    torch.testing.assert_close(mine, plain, rtol=0.03, atol=0.01 * float(plain.abs().max()))


def test_evaluation_has_the_loss_of_training(tiny: Any, rows: list[dict[str, Any]]) -> None:
    attach_labelled_loss(tiny)
    trained = tiny(**Collator(0)(rows)).loss
    with torch.no_grad():
        torch.testing.assert_close(tiny(**Collator(0)(rows)).loss, trained, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("chunk_bytes", [loss.CHUNK_BYTES["cpu"], 7 * 4 * 300])
def test_token_metrics_are_those_of_full_logits(
    tiny: Any, rows: list[dict[str, Any]], chunk_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loss and gradient are the same with them and without."""
    monkeypatch.setitem(loss.CHUNK_BYTES, "cpu", chunk_bytes)
    monkeypatch.setattr(loss, "BLOCK_BYTES", 3 * 4 * 300)
    batch = Collator(0)(rows)
    logits = tiny(input_ids=batch["input_ids"]).logits.detach()
    # Every other label becomes what an untrained model thinks likeliest.
    labels = batch["labels"]
    labels[:, ::2] = torch.where(labels != IGNORED, logits.argmax(-1), labels)[:, ::2]
    found = {}
    for asked in (False, True):
        attach_labelled_loss(tiny, token_metrics=asked)
        output = tiny(**batch)
        output.loss.backward()
        found[asked] = (output.loss.detach(), *gradients(tiny))
    torch.testing.assert_close(found[True], found[False], rtol=0, atol=0)
    labelled = labels != IGNORED
    entropy = torch.distributions.Categorical(logits=logits[labelled]).entropy().sum()
    hits = logits[labelled].argmax(-1).eq(labels[labelled]).sum()
    assert 0 < hits < labelled.sum()
    torch.testing.assert_close(output.token_metrics, torch.stack([entropy, hits.float()]), rtol=1e-5, atol=1e-4)
    assert not output.token_metrics.requires_grad


def test_certain_predictions_have_no_entropy() -> None:
    """Probabilities that fp32 rounds to 0 count as 0, not as NaN."""
    head = torch.nn.Linear(4, 4, bias=False)
    torch.nn.init.eye_(head.weight)
    certain = torch.eye(4).mul(1e4).unsqueeze(0).requires_grad_()
    found = loss.labelled_loss(certain, torch.arange(4).unsqueeze(0), Logits(head, 4), token_metrics=True)
    assert found.token_metrics.tolist() == [0.0, 4.0]


def test_a_second_backward_pass_is_refused_and_not_wrong() -> None:
    head = torch.nn.Linear(4, 10, bias=False)
    found = loss.labelled_loss(torch.randn(1, 3, 4), torch.tensor([[1, 2, 3]]), Logits(head, 10)).loss
    found.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        found.backward()


@pytest.mark.parametrize(("device", "planned"), [("cpu", "cpu"), ("cuda", "gpu"), ("xpu", "gpu"), ("mps", "gpu")])
def test_chunks_have_a_size_on_every_device_and_the_plan_counts_on_it(device: str, planned: Any) -> None:
    assert loss.chunk_bytes(torch.device(device)) == LOGITS_CHUNK_BYTES[planned]
