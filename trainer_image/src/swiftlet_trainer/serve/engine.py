"""What the supervisor has to know about the process of an engine, as data."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

EngineName = Literal["vllm", "transformers"]

PROBLEM_PREFIX = "swiftlet: invalid input: "
"""Begins each line in which an engine's process names bad input; it then ends with EXIT_INVALID."""


@dataclass(frozen=True)
class EngineProcess:
    """How to start an engine."""

    name: EngineName
    command: Sequence[str]
    env: Mapping[str, str] = field(repr=False)
    """Variables beside the pod's own. Holds the API key, hence never printed."""
    phases: Sequence[tuple[re.Pattern[str], str]] = ()
    """(pattern of a line of its output, what it is doing from then on)."""
    noise: re.Pattern[str] | None = None
    """Lines that are passed on to nobody."""
    telling: Mapping[str, Any] = field(default_factory=dict)
    """Fields of a request with which it tells the log probabilities of its tokens; none where it cannot."""
    pools: bool = False
    """It makes vectors or scores of texts, and says nothing."""
    kill_after_seconds: float = 40.0
    """From SIGTERM, with which it finishes the answers under way, to SIGKILL."""
