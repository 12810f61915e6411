"""The fast head against the plain one: fp32, padded, full logits."""

from typing import Any

import pytest
import torch
from swiftlet.kinds.finetunejob.estimate import LOGITS_CHUNK_BYTES
from swiftlet_trainer.data.encode import IGNORED
from swiftlet_trainer.tasks.sft.loss import nll
from swiftlet_trainer.training.attention import ROW_BY_ROW, keep_rows_apart
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.training.heads import tokens as head
from swiftlet_trainer.training.heads.tokens import TokenScores, attach_token_scores, token_scores
from swiftlet_trainer.training.logits import Logits
from torch.nn import functional


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


@pytest.mark.parametrize("chunk_bytes", [head.CHUNK_BYTES["cpu"], 7 * 4 * 300])
@pytest.mark.parametrize("block_bytes", [head.BLOCK_BYTES, 3 * 4 * 300])
def test_loss_and_gradients_are_those_of_full_logits(
    tiny: Any, rows: list[dict[str, Any]], chunk_bytes: int, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the labelled positions are computed in chunks of 7, and worked on 3 at a time."""
    monkeypatch.setitem(head.CHUNK_BYTES, "cpu", chunk_bytes)
    monkeypatch.setattr(head, "BLOCK_BYTES", block_bytes)
    expected = plain_loss(tiny, rows)
    expected.backward()
    expected_gradients = gradients(tiny)
    attach_token_scores(tiny, is_linear=True)
    found = nll(tiny(**Collator(0)(rows)["inputs"]))
    found.backward()
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-5)
    for one, other in zip(gradients(tiny), expected_gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_packed_rows_have_the_loss_of_separate_ones(tiny: Any, rows: list[dict[str, Any]]) -> None:
    expected = plain_loss(tiny, rows)
    attach_token_scores(tiny, is_linear=True)
    packed = {
        "input_ids": [token for row in rows for token in row["input_ids"]],
        "labels": [label for row in rows for label in row["labels"]],
        "seq_lengths": [row["length"] for row in rows],
    }
    found = nll(tiny(**Collator(0, packed=True)([packed])["inputs"]))
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_packed_row_does_not_see_another(tiny: Any, attention: str) -> None:
    tiny.set_attn_implementation(attention)
    generator = torch.Generator().manual_seed(2)
    tokens = torch.randint(3, 300, (2, 30), generator=generator)
    changed = tokens.clone()
    changed[:, 10:20] = torch.randint(3, 300, (2, 10), generator=generator)
    row = {"input_ids": [0] * 30, "labels": [0] * 30, "seq_lengths": [10, 10, 10]}
    positions = Collator(0, packed=True)([row, row])["inputs"]["position_ids"]
    before = tiny(input_ids=tokens, position_ids=positions, use_cache=False).logits
    after = tiny(input_ids=changed, position_ids=positions, use_cache=False).logits
    assert torch.equal(before[:, :10], after[:, :10])
    assert torch.equal(before[:, 20:], after[:, 20:])
    assert not torch.allclose(before[:, 10:20], after[:, 10:20])
    # Without the restarts a row would see what comes before it, so the test can tell.
    assert not torch.allclose(tiny(input_ids=changed, use_cache=False).logits[:, 20:], before[:, 20:])


def test_rows_without_padding_have_the_loss_and_gradients_of_padded_ones(tiny: Any, rows: list[dict[str, Any]]) -> None:
    attach_token_scores(tiny, is_linear=True)
    padded = nll(tiny(**Collator(0)(rows)["inputs"]))
    padded.backward()
    expected = gradients(tiny)
    assert keep_rows_apart(tiny, ROW_BY_ROW, 40)
    found = nll(tiny(**Collator(0, padding_free=True)(rows)["inputs"]))
    found.backward()
    torch.testing.assert_close(found, padded, rtol=1e-6, atol=1e-5)
    for one, other in zip(gradients(tiny), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_padding_changes_nothing(tiny: Any, rows: list[dict[str, Any]]) -> None:
    attach_token_scores(tiny, is_linear=True)
    together = nll(tiny(**Collator(0)(rows)["inputs"]))
    apart = sum(nll(tiny(**Collator(0)([row])["inputs"])) for row in rows)
    torch.testing.assert_close(together, apart, rtol=1e-6, atol=1e-5)


def test_a_batch_without_labels_gives_zero_and_not_nan(tiny: Any) -> None:
    attach_token_scores(tiny, is_linear=True)
    found = nll(tiny(**Collator(0)([{"input_ids": [5, 6, 7], "labels": [IGNORED] * 3}])["inputs"]))
    found.backward()
    assert found.item() == 0.0
    assert all(bool(torch.isfinite(one).all()) for one in gradients(tiny))


def test_in_bf16_log_probabilities_are_fp32() -> None:
    weights = torch.nn.Linear(32, 300, bias=False, dtype=torch.bfloat16)
    hidden = torch.randn(500, 32, dtype=torch.bfloat16, requires_grad=True)
    labels = torch.randint(0, 300, (500,))
    found = token_scores(hidden, labels, Logits(weights, 300), is_linear=True).logprob
    expected = weights(hidden).float().log_softmax(-1).gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    (mine,), (plain,) = (torch.autograd.grad(-one.sum() / 500, hidden) for one in (found, expected))
    torch.testing.assert_close(mine, plain, rtol=0.03, atol=0.01 * float(plain.abs().max()))


def test_evaluation_has_the_loss_of_training(tiny: Any, rows: list[dict[str, Any]]) -> None:
    attach_token_scores(tiny, is_linear=True)
    trained = nll(tiny(**Collator(0)(rows)["inputs"]))
    with torch.no_grad():
        torch.testing.assert_close(nll(tiny(**Collator(0)(rows)["inputs"])), trained, rtol=1e-6, atol=1e-5)


N, HIDDEN, VOCABULARY = 50, 32, 300
EVERYTHING: head.Want = frozenset({"entropy", "top1"})
LOSSES: dict[str, Any] = {
    "sum": lambda logprob: -logprob.sum(),
    "preference": lambda logprob: -functional.logsigmoid(0.1 * (logprob[:20].sum() - logprob[20:].sum())),
    "clipped ratio": lambda logprob: -torch.minimum(torch.exp(logprob + 5.7), torch.tensor(1.1)).mean(),
    "quadratic": lambda logprob: logprob.square().sum(),
}


def given(is_trained: bool) -> tuple[torch.Tensor, torch.Tensor, Logits]:
    """Hidden states, targets of which some are the likeliest, and a head."""
    generator = torch.Generator().manual_seed(3)
    layer = torch.nn.Linear(HIDDEN, VOCABULARY)
    for parameter in layer.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) / 8
        parameter.requires_grad_(is_trained)
    hidden = torch.randn(N, HIDDEN, generator=generator).requires_grad_()
    targets = torch.randint(0, VOCABULARY, (N,), generator=generator)
    targets[::3] = layer(hidden).argmax(-1)[::3]
    return hidden, targets, Logits(layer, VOCABULARY)


def plain_logprob(hidden: torch.Tensor, targets: torch.Tensor, logits: Logits) -> torch.Tensor:
    return functional.log_softmax(logits(hidden), -1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)


@pytest.fixture(params=["one chunk", "chunks of 7, worked on 3 at a time"])
def chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "one chunk":
        monkeypatch.setitem(head.CHUNK_BYTES, "cpu", 7 * 4 * VOCABULARY)
        monkeypatch.setattr(head, "BLOCK_BYTES", 3 * 4 * VOCABULARY)


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize("is_trained", [False, True], ids=["frozen head", "trained head"])
@pytest.mark.parametrize("name", LOSSES)
def test_any_loss_of_log_probabilities_has_its_exact_gradient(name: str, is_trained: bool) -> None:
    """Beside torch's log_softmax over all logits, fp32."""
    hidden, targets, logits = given(is_trained)
    into = [hidden, *(parameter for parameter in logits.head.parameters() if is_trained)]
    plain = plain_logprob(hidden, targets, logits)
    expected = torch.autograd.grad(LOSSES[name](plain), into)
    found = token_scores(hidden, targets, logits).logprob
    torch.testing.assert_close(found, plain, rtol=1e-6, atol=1e-6)
    for mine, wanted in zip(torch.autograd.grad(LOSSES[name](found), into), expected, strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-5, atol=1e-5 * float(wanted.abs().max()))


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize("is_trained", [False, True], ids=["frozen head", "trained head"])
def test_a_linear_loss_has_float_weights(is_trained: bool) -> None:
    hidden, targets, logits = given(is_trained)
    weight = torch.linspace(-0.5, 2.0, N)
    into = [hidden, *(parameter for parameter in logits.head.parameters() if is_trained)]
    expected = torch.autograd.grad(-(weight * plain_logprob(hidden, targets, logits)).sum() / 7, into)
    found = token_scores(hidden, targets, logits, weight=weight, is_linear=True)
    for mine, wanted in zip(torch.autograd.grad(nll(found) / 7, into), expected, strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-5, atol=1e-5 * float(wanted.abs().max()))


@pytest.mark.parametrize("weight", [None, torch.linspace(0.0, 2.0, N)], ids=["alike", "weights"])
def test_a_loss_that_is_not_as_linear_as_was_said_is_refused(weight: torch.Tensor | None) -> None:
    """Not wrong: what a trained head learns from a position was added up with the others' when it was scored."""
    hidden, targets, logits = given(is_trained=True)
    found = token_scores(hidden, targets, logits, weight=weight, is_linear=True).logprob
    with pytest.raises(RuntimeError, match="no multiple of the sum of weight x logprob"):
        LOSSES["preference"](found).backward()


@pytest.mark.parametrize("weight", [torch.zeros(N), torch.zeros(N).index_fill(0, torch.tensor([4]), 3.0)])
def test_tokens_without_weight_teach_nothing(weight: torch.Tensor) -> None:
    hidden, targets, logits = given(is_trained=True)
    nll(token_scores(hidden, targets, logits, weight=weight, is_linear=True)).backward()
    assert hidden.grad is not None
    assert torch.equal(hidden.grad.abs().sum(-1).ne(0), weight.ne(0))


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize("way", ["gradient at once", "computed again", "evaluation"])
@pytest.mark.parametrize(
    "want", [frozenset(), {"entropy"}, {"top1"}, EVERYTHING], ids=lambda want: "+".join(sorted(want))
)
def test_entropy_and_top1_are_those_of_full_logits(way: str, want: Any) -> None:
    """And change neither log-probabilities nor gradients."""
    hidden, targets, logits = given(is_trained=True)
    full = logits(hidden).detach()
    expected = {
        "entropy": torch.distributions.Categorical(logits=full).entropy(),
        "top1": full.argmax(-1).eq(targets).float(),
    }
    assert 0 < expected["top1"].sum() < N
    alone, found = (
        token_scores(hidden, targets, logits, frozenset(asked), is_linear=way == "gradient at once")
        if way != "evaluation"
        else torch.no_grad()(token_scores)(hidden, targets, logits, frozenset(asked))
        for asked in ((), want)
    )
    assert torch.equal(found.logprob, alone.logprob)
    for name, wanted in expected.items():
        value = getattr(found, name)
        assert (value is not None) == (name in want)
        if value is not None:
            torch.testing.assert_close(value, wanted, rtol=1e-5, atol=1e-5)
            assert not value.requires_grad
    if way != "evaluation":
        one, other = (torch.autograd.grad(nll(each), hidden)[0] for each in (alone, found))
        assert torch.equal(one, other)


def test_certain_predictions_have_no_entropy() -> None:
    """Probabilities that fp32 rounds to 0 count as 0, not as NaN."""
    layer = torch.nn.Linear(4, 4, bias=False)
    torch.nn.init.eye_(layer.weight)
    certain = torch.eye(4).mul(1e4).requires_grad_()
    found = token_scores(certain, torch.arange(4), Logits(layer, 4), EVERYTHING)
    assert found.entropy is not None and found.top1 is not None
    assert (found.entropy.tolist(), found.top1.tolist()) == ([0.0] * 4, [1.0] * 4)


@pytest.mark.parametrize("is_trained", [False, True], ids=["frozen head", "trained head"])
def test_a_second_backward_pass_is_refused_and_not_wrong(is_trained: bool) -> None:
    hidden, targets, logits = given(is_trained)
    loss = nll(token_scores(hidden, targets, logits, is_linear=True))
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_weights_follow_their_tokens_into_every_batch(tiny: Any, rows: list[dict[str, Any]]) -> None:
    """However rows are batched, padded or packed."""
    attach_token_scores(tiny, is_linear=True)

    def loss(batch: dict[str, Any]) -> torch.Tensor:
        weights = 1.0 + batch["labels"] % 3 / 2  # of the token, so of no place
        found: TokenScores = tiny(**batch, weights=weights)
        assert found.weight is not None and len(found.weight) == len(found.logprob)
        return nll(found)

    together = loss(Collator(0)(rows)["inputs"])
    together.backward()
    expected = gradients(tiny)
    packed = {
        "input_ids": [token for row in rows for token in row["input_ids"]],
        "labels": [label for row in rows for label in row["labels"]],
        "seq_lengths": [row["length"] for row in rows],
    }
    for parts in ([Collator(0)([row])["inputs"] for row in rows], [Collator(0, packed=True)([packed])["inputs"]]):
        total = torch.stack([loss(batch) for batch in parts]).sum()
        total.backward()
        torch.testing.assert_close(total, together, rtol=1e-6, atol=1e-5)
        for one, other in zip(gradients(tiny), expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("device", "planned"), [("cpu", "cpu"), ("cuda", "gpu"), ("xpu", "gpu"), ("mps", "gpu")])
def test_chunks_have_a_size_on_every_device_and_the_plan_counts_on_it(device: str, planned: Any) -> None:
    assert head.chunk_bytes(torch.device(device)) == LOGITS_CHUNK_BYTES[planned]


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("is_linear", [False, True])
def test_label_smoothing_is_pytorchs(trained: bool, is_linear: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its loss, and its gradient of hidden states and of the head, in several chunks and blocks."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(16, 50, bias=False).requires_grad_(trained)
    monkeypatch.setattr(head, "BLOCK_BYTES", 4 * 50 * 3)
    monkeypatch.setattr(head, "CHUNK_BYTES", {"cpu": 4 * 50 * 7})
    hidden, targets = torch.randn(20, 16), torch.randint(0, 50, (20,))
    found = []
    for ours in (True, False):
        leaf = hidden.clone().requires_grad_()
        layer.zero_grad()
        if ours:
            scores = token_scores(leaf, targets, Logits(layer, 50), smoothing=0.2, is_linear=is_linear)
            loss = nll(scores)
        else:
            loss = functional.cross_entropy(layer(leaf), targets, label_smoothing=0.2, reduction="sum")
        loss.backward()
        found.append((loss.detach(), leaf.grad, layer.weight.grad if trained else torch.zeros(())))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    with torch.no_grad():
        without = token_scores(hidden, targets, Logits(layer, 50), smoothing=0.2)
    torch.testing.assert_close(nll(without), found[1][0], atol=1e-4, rtol=1e-5)
