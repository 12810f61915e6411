"""KTO's loss and its gradient are those of the paper's formula, and of TRL's own trainer where that has one batch."""

from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from swiftlet.api.v1alpha1.tasks.kto import KtoTask
from swiftlet_trainer.tasks.kto.task import Kto

SIZES = [(3, 5), (4, 2), (1, 1), (6, 3)]
GOOD = [True, False, True, True, False, True, False, True]
"""Of each answer."""
TASKS = {
    "as it is": KtoTask(),
    "weighted": KtoTask(desirable_weight=0.75, undesirable_weight=1.5, beta=0.5),
    "apo": KtoTask(loss_type="apo_zero_unpaired", beta=2.0),
}


@pytest.fixture
def judged(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Single answers with a label each, and what the step compares with."""

    def made(baseline: float) -> Any:
        found = draw(SIZES)
        found.batch["group"] = torch.arange(len(GOOD))
        found.batch["targets"] = torch.tensor(GOOD).float().unsqueeze(-1)
        found.batch["baseline"] = torch.tensor(baseline)
        return found

    return made


def of_paper(answers: Any, task: KtoTask) -> torch.Tensor:
    """arXiv:2402.01306, equations 7 and 8: the mean of lambda_y - v(x, y); without z0 for APO (arXiv:2408.06266)."""
    summed = torch.stack([part.sum() for part in answers.leaf.split([size for pair in SIZES for size in pair])])
    reward = summed - answers.batch["reference"]
    z0 = max(0.0, answers.batch["baseline"].item()) if task.loss_type == "kto" else 0.0
    losses = []
    for r, is_good in zip(reward, GOOD, strict=True):
        if is_good:
            losses.append(task.desirable_weight - task.desirable_weight / (1 + torch.exp(-task.beta * (r - z0))))
        else:
            losses.append(task.undesirable_weight - task.undesirable_weight / (1 + torch.exp(-task.beta * (z0 - r))))
    return torch.stack(losses).mean()


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("baseline", [0.4, -0.3])
def test_the_loss_is_the_papers(judged: Callable[..., Any], task: KtoTask, baseline: float) -> None:
    answers = judged(baseline)
    ours, theirs = Kto(task).loss(answers.scores, answers.batch).total / len(GOOD), of_paper(answers, task)
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-5, rel=1e-5)
    torch.testing.assert_close(answers.gradient(ours), answers.gradient(theirs), atol=1e-6, rtol=1e-5)


def of_trl(answers: Any, mismatched: torch.Tensor, task: KtoTask) -> tuple[torch.Tensor, dict[str, float]]:
    """TRL's loss and metrics, for a step of one batch. Its model gives the drawn log-probabilities, behind a prompt of
    one token, and as those of the mismatched answers beside a reference of 0 the numbers given."""
    from trl.trainer.kto_trainer import KTOTrainer

    parts = answers.leaf.split([size for pair in SIZES for size in pair])
    logprobs = torch.nn.utils.rnn.pad_sequence(list(parts), batch_first=True)
    there = torch.nn.utils.rnn.pad_sequence([torch.ones_like(part) for part in parts], batch_first=True)
    nothing = torch.zeros_like(logprobs)
    output = SimpleNamespace(log_probs=logprobs, entropy=nothing, mean_logits=nothing)
    mask = torch.cat([torch.zeros(len(there), 1), there], dim=1).long()
    itself = SimpleNamespace(
        model=SimpleNamespace(training=False),
        accelerator=SimpleNamespace(device="cpu", gather_for_metrics=lambda one: one),
        beta=task.beta, loss_type=task.loss_type, desirable_weight=task.desirable_weight,
        undesirable_weight=task.undesirable_weight, calculate_KL=task.mismatches, precompute_ref_logps=True,
        aux_loss_enabled=False, _compute_kl_logps=lambda model, batch: mismatched,
        _metrics=defaultdict(lambda: defaultdict(list)), _total_train_tokens=0, _tp_size=1,
    )  # fmt: skip
    inputs = {"input_ids": mask, "attention_mask": mask, "completion_mask": mask, "label": torch.tensor(GOOD)}
    inputs |= {"ref_logps": answers.batch["reference"], "ref_KL_logps": torch.zeros(len(GOOD))}
    loss = KTOTrainer._compute_loss(itself, lambda **_inputs: output, inputs, False)
    return loss, {name: values[0] for name, values in itself._metrics["eval"].items()}


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("shift", [1.0, -1.0])
def test_the_loss_and_what_is_told_are_trls(judged: Callable[..., Any], task: KtoTask, shift: float) -> None:
    mismatched = torch.linspace(-2, 2, len(GOOD)) + shift
    answers, kto = judged(mismatched.mean().item()), Kto(task)
    ours = kto.loss(answers.scores, answers.batch)
    theirs, metrics = of_trl(answers, mismatched, task)
    assert ours.total.item() / len(GOOD) == pytest.approx(theirs.item(), abs=1e-5, rel=1e-5)
    torch.testing.assert_close(answers.gradient(ours.total / len(GOOD)), answers.gradient(theirs), atol=1e-6, rtol=1e-5)
    told = kto.told({name: one.item() / len(GOOD) for name, one in ours.figures.items()})
    for name in ("chosen", "rejected", "margins"):
        assert told[f"rewards_{name}"] == pytest.approx(metrics[f"rewards/{name}"], abs=1e-5)
    assert told.get("kl", 0.0) == pytest.approx(metrics["kl"], abs=1e-5)


def test_rewards_of_a_kind_that_a_step_lacks_are_not_told() -> None:
    means = {"rewards_chosen": 0.3, "rewards_rejected": 0.0, "good": 1.0, "kl": 0.1}
    assert Kto(KtoTask()).told(means) == {"rewards_chosen": 0.3, "kl": 0.1}


def test_the_baseline_sums_log_ratios_of_answers_to_other_prompts(judged: Callable[..., Any]) -> None:
    answers = judged(0.0)
    summed = torch.zeros(len(GOOD)).index_add(0, answers.batch["sequence"], answers.leaf)
    found = Kto(KtoTask()).baseline(answers.scores, answers.batch)
    assert found.item() == pytest.approx((summed - answers.batch["reference"]).sum().item(), rel=1e-5)
