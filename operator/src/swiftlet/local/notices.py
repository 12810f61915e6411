"""What an engine tells those who watch it."""

from dataclasses import dataclass
from typing import Any

from swiftlet.control.keys import Key
from swiftlet.local.store import Change


@dataclass(frozen=True)
class ProgressNotice:
    """A resource's pods reported something."""

    key: Key
    progress: dict[str, Any]
    """Everything that they have reported, folded by `kinds.progress.merge`."""


@dataclass(frozen=True)
class Trouble:
    """Something that the engine could not do; it tries again by itself."""

    message: str


Notice = Change | ProgressNotice | Trouble
