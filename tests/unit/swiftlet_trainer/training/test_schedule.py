"""Learning rate over a run."""

import pytest
from swiftlet.api.v1alpha1.training import Training
from swiftlet_trainer.training.schedule import learning_rate_factor, warmup_steps


def factors(shape: str, ratio: float, steps: int) -> list[float]:
    training = Training.model_validate({"lrScheduler": shape, "warmupRatio": ratio})
    factor = learning_rate_factor(training, steps)
    return [factor(done) for done in range(steps + 1)]


def test_no_step_is_lost_to_warming_up() -> None:
    assert factors("constant", 0.4, 10)[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert factors("constant", 0.0, 3) == [1.0, 1.0, 1.0, 1.0]


def test_shapes_after_the_peak() -> None:
    assert factors("linear", 0.0, 4) == pytest.approx([1.0, 0.75, 0.5, 0.25, 0.0])
    assert factors("cosine", 0.0, 2) == pytest.approx([1.0, 0.5, 0.0])


@pytest.mark.parametrize("shape", ["linear", "cosine"])
def test_from_the_peak_on_the_curve_is_that_of_transformers(shape: str) -> None:
    import torch
    from transformers import get_scheduler

    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    theirs = get_scheduler(shape, optimizer, num_warmup_steps=3, num_training_steps=20).lr_lambdas[0]  # type: ignore[union-attr]
    assert factors(shape, 0.15, 20)[3:] == pytest.approx([theirs(done) for done in range(3, 21)])


def test_warmup_is_whole_steps() -> None:
    assert [warmup_steps(0.03, steps) for steps in (1, 32, 34, 1000)] == [1, 1, 2, 30]
