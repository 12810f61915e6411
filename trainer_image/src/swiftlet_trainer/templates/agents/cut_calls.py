"""The calls of an answer that was cut within one."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.templates.agents.template import AgentTemplate, Parsed
from swiftlet_trainer.templates.stops import cut

PROBE = "probe"
MOST_PLACES = 100
"""Where a call may have ended, from the end of the answer on, that are tried: each costs a reading of what is before,
and a model can be made to say nothing but braces."""


def before_cut(template: AgentTemplate, text: str, tools: Sequence[Tool]) -> Parsed | None:
    """What an answer says up to the end of its last whole call; what is behind that is part of its content. None where
    no call is whole, or more than the last one cannot be read. text: the answer without its thought."""
    whole = template.read(text, tools)
    if len(whole.problems) > 1:
        return None
    end = cut(template.written([ToolCall("f", {"a": PROBE})]).partition(PROBE)[2], template.stop).rstrip()
    places = (place for place in range(len(text), 0, -1) if text[place - 1] in f"}}{end[-1]}")
    for place in islice(places, MOST_PLACES):
        found = template.read(text[:place], tools)
        if not found.problems and found.calls and len(found.calls) >= len(whole.calls):
            rest = text[place:].strip()
            if text[place - 1 :].rstrip() in end:  # the call lacks but half of what ends it
                rest = ""
            return replace(found, content="\n".join(filter(None, [found.content, rest])))
    return None
