"""Speed, time left, and a loss that is no number."""

import math
from typing import Any

import pytest
from swiftlet_trainer.failures import Diverged
from swiftlet_trainer.training import meter
from swiftlet_trainer.training.meter import Meter, require_finite


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(meter.time, "perf_counter", lambda: now[0])
    return now


def test_speed_and_time_left(clock: list[float]) -> None:
    found = Meter(total_steps=10)
    found.start()
    for tokens in (50, 150):
        clock[0] += 2.0
        found.step_done(tokens, flops=3e9)
    assert (found.tokens_per_second(), found.flops_per_second()) == (50.0, 1.5e9)
    assert found.seconds_left(2) == 16


def test_a_checkpoint_is_not_training_time(clock: list[float]) -> None:
    found = Meter(total_steps=10)
    found.start()
    clock[0] += 1.0
    found.step_done(100)
    clock[0] += 30.0
    found.pause(30.0)
    clock[0] += 1.0
    found.step_done(100)
    assert found.tokens_per_second() == 100.0


def test_old_steps_are_forgotten(clock: list[float]) -> None:
    found = Meter(total_steps=1000)
    found.start()
    for step in range(100):
        clock[0] += 10.0 if step < 50 else 1.0
        found.step_done(10)
    assert found.tokens_per_second() == 10.0


def test_before_the_first_step(clock: list[float]) -> None:
    found = Meter(total_steps=10)
    found.start()
    assert (found.tokens_per_second(), found.seconds_left(0)) == (0.0, 0)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_names_the_step(loss: Any) -> None:
    with pytest.raises(Diverged, match=r"step 7 is (nan|inf); lower training.learningRate"):
        require_finite(loss, 7)
    require_finite(2.5, 7)
