"""Rarer looks for garbage still find it."""

import gc
import weakref
from collections.abc import Iterator

import pytest
from swiftlet_trainer.garbage import THRESHOLDS, collect_rarely


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)


class Circle:
    def __init__(self) -> None:
        self.own = self


def test_garbage_is_found_without_being_asked_for() -> None:
    collect_rarely()
    assert gc.get_threshold() == THRESHOLDS
    first = weakref.ref(Circle())
    assert first() is not None  # a circle: its count of references never comes to zero
    made = 0
    while first() is not None and made < 2 * THRESHOLDS[0]:
        Circle()
        made += 1
    assert first() is None
