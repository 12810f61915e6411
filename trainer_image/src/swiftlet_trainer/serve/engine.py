"""What a serving engine is asked, and what the supervisor has to know about its process, as data."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from swiftlet.api.v1alpha1.tasks.block import HeadName
from swiftlet.wire.documents import ServeDocument

from swiftlet_trainer.serve.quantization import Quantization

PROBLEM_PREFIX = "swiftlet: invalid input: "
"""Begins each line in which an engine's process names bad input; it then ends with EXIT_INVALID."""


@dataclass(frozen=True)
class Served:
    """What is to be served, as its files say."""

    document: ServeDocument
    job_path: str
    """Of the document."""
    folder: Path
    """Of the model."""
    adapters: Mapping[str, Path]
    """Folders by served name."""
    quantized: Quantization | None = None
    """How the model's weights are."""
    head: HeadName = "tokens"
    """By which the model is used."""


class Obstacle(NamedTuple):
    """Why an engine cannot serve something here."""

    text: str
    remedy: str = ""
    """What to do about it, beside using another engine."""


class Engine(Protocol):
    """A module of swiftlet_trainer.serve.engines."""

    def obstacles(self, served: Served) -> list[Obstacle]:
        """Why it cannot serve this here."""

    def process(self, served: Served, host: str) -> "EngineProcess":
        """How it is started. Raises InvalidInput for what it finds out only now."""


@dataclass(frozen=True)
class EngineProcess:
    """How to start an engine."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(repr=False)
    """Variables beside the pod's own. Holds the API key, hence never printed."""
    phases: Sequence[tuple[re.Pattern[str], str]] = ()
    """(pattern of a line of its output, what it is doing from then on)."""
    notes: Sequence[str] = ()
    """What people may want to know before it starts."""
    noise: re.Pattern[str] | None = None
    """Lines that are passed on to nobody."""
    telling: Mapping[str, Any] = field(default_factory=dict)
    """Fields of a request with which it tells the log probabilities of its tokens; none where it cannot."""
    pools: bool = False
    """It makes vectors or scores of texts, and says nothing."""
    kill_after_seconds: float = 40.0
    """From SIGTERM, with which it finishes the answers under way, to SIGKILL."""
