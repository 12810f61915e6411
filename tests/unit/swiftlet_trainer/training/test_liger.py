"""Liger's kernels: which models it knows. What they compute is in tests/gpu."""

from typing import Any

from swiftlet_trainer.training.liger import use_liger


def test_an_architecture_that_it_does_not_know_stays_as_it_is(tiny: Any) -> None:
    tiny.config.model_type = "new-one"
    assert not use_liger(tiny)
