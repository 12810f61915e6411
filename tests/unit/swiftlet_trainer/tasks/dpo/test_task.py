"""DPO's losses and their gradients are those of TRL's own trainer, on the same log-probabilities."""

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import torch
from swiftlet.api.v1alpha1.tasks.dpo import DpoLoss, DpoTask
from swiftlet_trainer.parallel.peers import Peers
from swiftlet_trainer.tasks.dpo.loss import LOSSES, STEP_LOSSES
from swiftlet_trainer.tasks.dpo.pairwise import Dpo
from swiftlet_trainer.tasks.dpo.step import DpoOfStep
from swiftlet_trainer.tasks.dpo.task import task as of_document
from swiftlet_trainer.training.heads.tokens import TokenScores

SIZES = [(3, 5), (4, 2), (1, 1), (6, 3)]
EQUAL = [(4, 4), (4, 4)]
"""Of one length, so that a mean over all tokens is a mean of means."""


def of_trl(pairs: Any, task: DpoTask) -> tuple[torch.Tensor, dict[str, float]]:
    """TRL's loss and metrics. Its model gives the drawn log-probabilities, behind a prompt of one token."""
    from trl.trainer.dpo_trainer import DPOTrainer

    logprobs, there = pairs.padded(pairs.leaf)
    overlap, _ = pairs.padded(pairs.scores.log_sum_sq)
    nothing = torch.zeros_like(logprobs)
    output = SimpleNamespace(
        log_probs=logprobs, log_sum_sq_probs=overlap, entropy=nothing, mean_logits=nothing, is_top1=nothing.bool()
    )
    mask = torch.cat([torch.zeros(len(there), 1), there], dim=1).long()
    chosen, rejected = pairs.batch["reference"].view(-1, 2).unbind(-1)
    itself = SimpleNamespace(
        model=SimpleNamespace(training=False),
        accelerator=SimpleNamespace(device="cpu", gather=lambda one: one, gather_for_metrics=lambda one: one),
        args=task, beta=task.beta, ld_alpha=task.ld_alpha, label_smoothing=task.label_smoothing,
        f_divergence_type=task.f_divergence_type, f_alpha_divergence_coef=task.f_alpha_divergence_coef,
        loss_types=task.loss_types, loss_weights=task.loss_weights or [1.0] * len(task.loss_types),
        use_weighting=task.use_weighting, precompute_ref_logps=True, aux_loss_enabled=False,
        _metrics=defaultdict(lambda: defaultdict(list)), _total_train_tokens=0, _tp_size=1,
    )  # fmt: skip
    inputs = {"input_ids": mask, "attention_mask": mask, "completion_mask": mask}
    inputs |= {"ref_chosen_logps": chosen, "ref_rejected_logps": rejected}
    loss = DPOTrainer._compute_loss(itself, lambda **_inputs: output, inputs, False)
    return loss, {name: values[0] for name, values in itself._metrics["eval"].items()}


def made(task: DpoTask) -> Dpo:
    return of_document(SimpleNamespace(task=SimpleNamespace(dpo=task)))  # type: ignore[arg-type]


def assert_as_trl(pairs: Any, task: DpoTask) -> None:
    ours = made(task).loss(pairs.scores, pairs.batch)
    theirs, metrics = of_trl(pairs, task)
    count = len(pairs.sizes)
    assert ours.total.item() / count == pytest.approx(theirs.item(), abs=1e-5, rel=1e-5)
    torch.testing.assert_close(pairs.gradient(ours.total / count), pairs.gradient(theirs), atol=1e-6, rtol=1e-5)
    for name in ("chosen", "rejected", "margins", "accuracies"):
        assert ours.figures[f"rewards_{name}"].item() / count == pytest.approx(metrics[f"rewards/{name}"], abs=1e-5)


def test_every_loss_of_the_api_is_there() -> None:
    assert {*LOSSES, *STEP_LOSSES} == set(get_args(DpoLoss))
    assert not set(LOSSES) & set(STEP_LOSSES)


@pytest.mark.parametrize("name", [name for name in get_args(DpoLoss) if name != "sft"])
@pytest.mark.parametrize("beta", [0.1, 2.0])
def test_each_loss_is_trls(draw: Callable[..., Any], name: Any, beta: float) -> None:
    smoothing = 0.1 if name in ("robust", "exo_pair") else 0.0
    assert_as_trl(draw(SIZES), DpoTask(loss_types=[name], beta=beta, label_smoothing=smoothing))


@pytest.mark.parametrize("name", list(STEP_LOSSES))
def test_what_is_sorted_is_the_whole_step_in_any_batches(draw: Callable[..., Any], name: Any) -> None:
    task = DpoTask(loss_types=[name, "hinge"], loss_weights=[0.7, 0.3], label_smoothing=0.2, rpo_alpha=0.5)
    of_step = made(task)
    assert isinstance(of_step, DpoOfStep) and not isinstance(made(DpoTask()), DpoOfStep)
    pairs = draw(SIZES)
    whole = of_step.loss(pairs.scores, pairs.batch)
    expected = pairs.gradient(whole.total)
    cut = [0, 3, 4]  # three pairs, then one
    batches = [part(pairs, start, end) for start, end in pairwise(cut)]
    alone = Peers(0, 1, torch.device("cpu"))
    known = of_step.shared([of_step.part(*batch) for batch in batches], [True, True], alone)
    found = [of_step.loss(scores, {**batch, "among": one}) for (scores, batch), one in zip(batches, known, strict=True)]
    assert sum(each.total for each in found).item() == pytest.approx(whole.total.item(), rel=1e-5)
    torch.testing.assert_close(pairs.gradient(torch.stack([each.total for each in found]).sum()), expected)


def part(pairs: Any, start: int, end: int) -> tuple[Any, Any]:
    """Pairs `start` to `end` as a batch of their own, of the same log-probabilities."""
    of_pair = pairs.batch["group"][pairs.batch["sequence"]]
    kept = (of_pair >= start) & (of_pair < end)
    scores = TokenScores(pairs.leaf[kept], log_sum_sq=pairs.scores.log_sum_sq[kept])
    sequence = pairs.batch["sequence"][kept]
    group = pairs.batch["group"][2 * start : 2 * end] - start
    reference = pairs.batch["reference"][2 * start : 2 * end]
    return scores, {"inputs": {}, "sequence": sequence - 2 * start, "group": group, "reference": reference}


def test_sft_is_the_mean_over_pairs_of_the_mean_over_tokens(draw: Callable[..., Any]) -> None:
    """TRL's is the mean over a batch's tokens, which depends on how pairs are batched."""
    assert_as_trl(draw(EQUAL), DpoTask(loss_types=["sft"]))
    pairs = draw([(3, 5), (4, 2)])
    chosen = pairs.leaf[:3].mean(), pairs.leaf[8:12].mean()
    assert Dpo(DpoTask(loss_types=["sft"])).loss(pairs.scores, pairs.batch).total == -sum(chosen)


@pytest.mark.parametrize("divergence", ["reverse_kl", "forward_kl", "js_divergence", "alpha_divergence"])
@pytest.mark.parametrize("name", ["sigmoid", "hinge", "ipo", "discopop"])
def test_each_divergence_is_trls(draw: Callable[..., Any], divergence: Any, name: Any) -> None:
    for alpha in (0.0, 0.5, 1.0):
        task = DpoTask(loss_types=[name], f_divergence_type=divergence, f_alpha_divergence_coef=alpha)
        assert_as_trl(draw(SIZES), task)


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
def test_tokens_beyond_the_shorter_answer_weigh_less(draw: Callable[..., Any], alpha: float) -> None:
    assert_as_trl(draw(SIZES), DpoTask(ld_alpha=alpha))


def test_losses_add_up_by_their_weights_with_all_options_at_once(draw: Callable[..., Any]) -> None:
    mixed = DpoTask(loss_types=["sigmoid", "bco_pair", "ipo"], loss_weights=[0.8, 0.2, 1.5])
    assert_as_trl(draw(SIZES), mixed)
    assert_as_trl(draw(SIZES), mixed.model_copy(update={"ld_alpha": 0.3, "f_divergence_type": "js_divergence"}))


def test_pairs_weigh_by_how_likely_they_are(draw: Callable[..., Any]) -> None:
    assert_as_trl(draw(SIZES), DpoTask(use_weighting=True))
    assert Dpo(DpoTask(use_weighting=True)).want == {"log_sum_sq"}
    assert Dpo(DpoTask()).want == frozenset()


def test_conservative_dpo_doubts_the_labels(draw: Callable[..., Any]) -> None:
    pairs = draw([(2, 3)])
    ratio = pairs.leaf.split([2, 3])[0].sum() - pairs.leaf.split([2, 3])[1].sum()
    ratio = ratio - (pairs.batch["reference"][0] - pairs.batch["reference"][1])
    expected = -0.8 * torch.log(torch.sigmoid(0.1 * ratio)) - 0.2 * torch.log(torch.sigmoid(-0.1 * ratio))
    found = Dpo(DpoTask(label_smoothing=0.2)).loss(pairs.scores, pairs.batch).total
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_rpo_adds_the_chosen_answers_loss(draw: Callable[..., Any]) -> None:
    pairs = draw([(2, 3)])
    plain, more = (Dpo(DpoTask(rpo_alpha=alpha)).loss(pairs.scores, pairs.batch).total for alpha in (None, 0.5))
    assert (more - plain).item() == pytest.approx(-0.5 * pairs.leaf[:2].mean().item(), rel=1e-4)


def test_without_a_reference_answers_are_as_likely_under_it(draw: Callable[..., Any]) -> None:
    pairs = draw(SIZES)
    free = Dpo(DpoTask(reference_free=True))
    assert not free.has_reference
    found = free.loss(pairs.scores, {**pairs.batch, "reference": torch.full((2 * len(SIZES),), float("nan"))})
    uniform = {**pairs.batch, "reference": torch.zeros(2 * len(SIZES))}
    assert found.total == Dpo(DpoTask()).loss(pairs.scores, uniform).total


def test_batching_does_not_change_the_loss(draw: Callable[..., Any], told: Callable[[Any], dict[str, float]]) -> None:
    """Sums over pairs, so that the parts of a step add up."""
    task = Dpo(DpoTask(loss_types=list(get_args(DpoLoss)), label_smoothing=0.1, ld_alpha=0.5, rpo_alpha=0.3))
    whole = draw(SIZES)
    found, parts, start = task.loss(whole.scores, whole.batch), [], 0
    for index, (chosen, rejected) in enumerate(SIZES):
        scores = type(whole.scores)(whole.leaf[start : start + chosen + rejected])
        start += chosen + rejected
        sequence = torch.tensor([0] * chosen + [1] * rejected)
        reference = whole.batch["reference"][2 * index : 2 * index + 2]
        alone = {"inputs": {}, "sequence": sequence, "group": torch.zeros(2).long(), "reference": reference}
        parts.append(task.loss(scores, alone))
    assert sum(part.total.item() for part in parts) == pytest.approx(found.total.item(), rel=1e-5)
    for name, value in told(found).items():
        assert sum(told(part)[name] for part in parts) == pytest.approx(value, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("name", get_args(DpoLoss))
def test_losses_stay_finite_far_from_the_reference(draw: Callable[..., Any], name: Any) -> None:
    pairs = draw([(3, 2)], spread=2.0)
    pairs.batch["reference"] += torch.tensor([40.0, -40.0])
    smoothing = 0.1 if name in ("robust", "exo_pair") else 0.0
    found = made(DpoTask(loss_types=[name], label_smoothing=smoothing)).loss(pairs.scores, pairs.batch)
    assert found.total.isfinite()
    assert pairs.gradient(found.total).isfinite().all()
