"""What a log line is about: the resource that is being looked at, and a number for the look."""

import itertools
from contextvars import ContextVar
from typing import NamedTuple

from swiftlet.control.keys import Key


class Work(NamedTuple):
    """One look at one resource."""

    kind: str
    namespace: str
    name: str
    number: int
    """Counts the looks of this process, so that lines of one look can be found together."""


current: ContextVar[Work | None] = ContextVar("swiftlet_work", default=None)

_numbers = itertools.count(1)


def looked_at() -> int | None:
    """The number of the look that this task is about."""
    work = current.get()
    return work.number if work else None


def begin(key: Key) -> None:
    """What this task logs from now on is about `key`."""
    current.set(Work(*key, next(_numbers)))
