"""Optimizers and fp32 master weights."""

from typing import Any

import pytest
import torch
from swiftlet.api.v1alpha1.training import Training
from swiftlet_trainer.training.optimizer import MasterWeights, build_optimizer, clip_gradients, parameter_groups


def trained(weight: torch.Tensor, steps: int, master_weights: bool, **settings: Any) -> tuple[Any, torch.Tensor]:
    model = torch.nn.Linear(4, 4, bias=False, dtype=weight.dtype)
    model.weight.data.copy_(weight)
    optimizer = build_optimizer(model, Training(**settings), master_weights)
    for _ in range(steps):
        model.weight.grad = torch.full_like(model.weight, 0.5)
        optimizer.step()
        model.zero_grad()
    return optimizer, model.weight.detach()


def test_updates_too_small_for_bf16_add_up() -> None:
    """1e-4 on a weight of 1 is below half of bf16's step of 2**-7, so that each alone would be rounded away."""
    ones = torch.ones(4, 4, dtype=torch.bfloat16)
    _, lost = trained(ones, 100, master_weights=False, learning_rate=1e-4)
    _, kept = trained(ones, 100, master_weights=True, learning_rate=1e-4)
    _, exact = trained(ones.float(), 100, master_weights=False, learning_rate=1e-4)
    assert torch.equal(lost, ones)
    assert torch.equal(kept, exact.bfloat16())
    assert not torch.equal(kept, ones)


def test_masters_are_the_fp32_run_bit_by_bit() -> None:
    weight = torch.randn(4, 4).bfloat16()
    optimizer, _ = trained(weight, 5, master_weights=True, weight_decay=0.1)
    _, exact = trained(weight.float(), 5, master_weights=False, weight_decay=0.1)
    assert isinstance(optimizer, MasterWeights)
    assert torch.equal(optimizer.masters[0], exact)


def test_gradients_of_micro_batches_are_summed_in_fp32() -> None:
    model = torch.nn.Linear(1, 1, bias=False, dtype=torch.bfloat16)
    optimizer = MasterWeights(parameter_groups(model, 0.0), lambda groups: torch.optim.SGD(groups, lr=1.0))
    for gradient in (256.0, 1.0, 1.0):  # in bf16, 256 + 1 is 256
        model.weight.grad = torch.full_like(model.weight, gradient)
        optimizer.absorb_gradients()
    assert model.weight.grad is None
    assert float(optimizer.masters[0].grad) == 258.0  # type: ignore[arg-type]
    optimizer.step()
    assert optimizer.masters[0].grad is None


def test_state_survives_saving(tmp_path: Any) -> None:
    weight = torch.randn(4, 4).bfloat16()
    optimizer, _ = trained(weight, 3, master_weights=True)
    torch.save(optimizer.state_dict(), tmp_path / "optimizer.pt")
    straight, straight_weight = trained(weight, 3, master_weights=True)
    other, other_weight = trained(torch.zeros(4, 4).bfloat16(), 1, master_weights=True)
    other.load_state_dict(torch.load(tmp_path / "optimizer.pt", weights_only=True))
    assert torch.equal(other_weight, straight_weight)
    for one in (straight, other):
        one.masters[0].grad = torch.ones(4, 4)
        one.step()
    assert torch.equal(straight.masters[0], other.masters[0])
    assert torch.equal(straight_weight, other_weight)


def test_the_schedule_reaches_the_masters() -> None:
    optimizer, _ = trained(torch.ones(4, 4).bfloat16(), 1, master_weights=True, learning_rate=1e-2)
    torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _step: 0.0)
    before = optimizer.masters[0].clone()
    optimizer.masters[0].grad = torch.ones(4, 4)
    optimizer.step()
    assert torch.equal(optimizer.masters[0], before)


def test_matrices_decay_and_vectors_do_not() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.LayerNorm(3))
    model[0].weight.requires_grad_(False)
    groups = parameter_groups(torch.nn.Sequential(model, torch.nn.Linear(3, 2)), 0.1)
    assert [(len(group["params"]), group["weight_decay"]) for group in groups] == [(1, 0.1), (4, 0.0)]


def test_adafactor_is_adafactor() -> None:
    optimizer, weight = trained(torch.ones(4, 4), 1, master_weights=False, optimizer="adafactor", learning_rate=1e-2)
    assert type(optimizer).__name__ == "Adafactor"
    assert not torch.equal(weight, torch.ones(4, 4))


@pytest.mark.parametrize(("limit", "left"), [(1.0, 1.0), (0.0, 2.0)])
def test_clipping_and_measuring(limit: float, left: float) -> None:
    weight = torch.zeros(4)
    weight.grad = torch.ones(4)
    assert float(clip_gradients([weight], limit)) == pytest.approx(2.0)
    assert float(weight.grad.norm()) == pytest.approx(left, rel=1e-5)
