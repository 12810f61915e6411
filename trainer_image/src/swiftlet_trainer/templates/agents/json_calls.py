"""What an agent template writes around arguments that are JSON."""

from collections.abc import Sequence
from typing import Any

from swiftlet_trainer.data.tools import ToolCall
from swiftlet_trainer.templates.agents.template import AgentTemplate, json_text
from swiftlet_trainer.templates.stops import cut


def around_calls(template: AgentTemplate, names: Sequence[str]) -> list[str] | None:
    """The texts before, between and behind the arguments of calls of these tools, found by writing some; without the
    stop text. None for a template that does not write arguments as one JSON object."""
    probes: list[dict[str, Any]] = [{"argument": [number]} for number, _ in enumerate(names)]
    left = template.written([ToolCall(name, probe) for name, probe in zip(names, probes, strict=True)])
    pieces = []
    for probe in probes:
        before, found, left = left.partition(json_text(probe))
        if not found:
            return None
        pieces.append(before)
    return [*pieces, cut(left, template.stop).rstrip()]
