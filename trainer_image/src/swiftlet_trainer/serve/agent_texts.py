"""Conversations of requests in the words of an agent template, for both engines."""

from collections.abc import Callable, Iterable, Sequence

from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.linked import linked
from swiftlet_trainer.data.tools import Tool, tool_texts
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.templates.prompt_template import REFUSALS
from swiftlet_trainer.templates.special import SpecialTokens

Write = Callable[[Sequence[Turn], Sequence[Tool]], list[Turn]]
"""Makes texts of turns and tools, as plain and AgentWriter.turns do."""


def texts_of(turns: Sequence[Turn], tools: Sequence[Tool]) -> list[str]:
    """All that a model is told in them."""
    return [*(text for turn in turns for text in turn.texts), *tool_texts(tools)]


def require_free(texts: Iterable[str], special: SpecialTokens) -> None:
    """Raise Refused for a character that would be taken for the stand-in of a control token."""
    if found := next((one for text in texts if (one := special.reserved(text))), None):
        raise Refused(f"messages: a text has U+{ord(found):X}, which is kept for our own use; leave it out", "messages")


def linked_turns(turns: Sequence[Turn], tools: Sequence[Tool]) -> list[Turn]:
    """Turns whose results know their calls. Raises Refused."""
    try:
        return linked(turns, tools, invented=True)
    except RowError as error:
        raise Refused(f"messages: {error}", "messages") from None


def as_texts(turns: Sequence[Turn], tools: Sequence[Tool], name: str, write: Write) -> tuple[list[Turn], bool]:
    """Linked turns with tools, calls and results as texts, and whether the last is an answer that goes on behind a
    result. name: of the agent template that writes. Raises Refused."""
    try:
        said = write(turns, tools)
    except REFUSALS as error:  # UnwritableError, or a schema of a tool that is none
        raise Refused(f"agentTemplate {name} cannot write the conversation: {error}", "messages") from None
    return said, turns[-1].role == "tool" and said[-1].role == "assistant"
