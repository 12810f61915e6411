"""A container beside another one of its pod: it goes on when that has ended, which a lock tells however it ends."""

import time
from collections.abc import Callable

from swiftlet.wire.documents import RUN_ROOT

from swiftlet_trainer.failures import TrainerError
from swiftlet_trainer.locking import is_held
from swiftlet_trainer.paths import in_pod

AT_WORK = f"{RUN_ROOT}/work.lock"
"""Held by a pod's `train` or `evaluate` as long as it lives, for the container beside it."""

LOOK_SECONDS = 2.0
BEGIN_SECONDS = 600
"""Until the other is seen to begin: both containers start together, with the same image."""


class NotBegun(TrainerError):  # noqa: N818 - says what it is
    """There is nothing to wait for."""

    reason = "NotBegun"


def accompany(other: str, each: Callable[[], None] | None = None) -> None:
    """Return when the container `other` has ended. each: called at every look, and once more then. Raises NotBegun."""
    lock, deadline = in_pod(AT_WORK), time.monotonic() + BEGIN_SECONDS
    while is_held(lock) is None:
        if time.monotonic() > deadline:
            raise NotBegun(f"container {other} has not begun within {BEGIN_SECONDS} s; its status says why")
        time.sleep(LOOK_SECONDS)
    at_work = True
    while at_work:
        at_work = bool(is_held(lock))
        if each:
            each()
        if at_work:
            time.sleep(LOOK_SECONDS)
