"""Requests of conversations, in which tools may be called.

Source: platform.openai.com/docs/api-reference/chat.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, model_validator

from swiftlet_trainer.data.calls import calls_of
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.tool_descriptions import tools_of
from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.serve.openai_requests import MESSAGE, REQUEST, ChatMessage, Neutral, Refused, Request

TOOL_FIELDS = ("tools", "tool_choice", "parallel_tool_calls")


def _calls(given: Any) -> tuple[ToolCall, ...]:
    try:
        return calls_of(given, "tool_calls")
    except RowError as error:
        raise Refused(str(error)) from None


def _tools(given: Any) -> tuple[Tool, ...]:
    try:
        return tools_of(given, "tools")
    except RowError as error:
        raise Refused(str(error)) from None


class NamedFunction(BaseModel):
    """The function that shall be called."""

    model_config = ConfigDict(extra="forbid")

    name: str


class NamedChoice(BaseModel):
    """The tool that shall be called."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["function"]
    function: NamedFunction


class ChatTurn(ChatMessage):
    """One turn, which may call tools or be what came of a call."""

    neutral: ClassVar[Neutral] = {field: nothing for field, nothing in MESSAGE.items() if field != "tool_calls"}

    role: Literal["system", "developer", "user", "assistant", "tool"]  # type: ignore[assignment]
    tool_calls: Annotated[tuple[ToolCall, ...], PlainValidator(_calls)] = ()
    tool_call_id: str | None = None

    @model_validator(mode="after")
    def _whose(self) -> "ChatTurn":
        for field, role in (("tool_calls", "assistant"), ("tool_call_id", "tool")):
            if getattr(self, field) and self.role != role:
                raise Refused(f"{field}: the {self.role} has none, only the {role}; leave it out", field)
        return self

    def said(self) -> Turn:
        """The same as training has it."""
        text = "".join(part.text for part in self.content)
        if self.role == "tool":
            return Turn("tool", text, name=self.name, call_id=self.tool_call_id)
        return Turn("system" if self.role == "developer" else self.role, text, calls=self.tool_calls)


class ChatRequest(Request):
    """POST /v1/chat/completions."""

    neutral: ClassVar[Neutral] = {field: nothing for field, nothing in REQUEST.items() if field not in TOOL_FIELDS}

    messages: Annotated[list[ChatTurn], Field(min_length=1)]
    tools: Annotated[tuple[Tool, ...], PlainValidator(_tools)] = ()
    tool_choice: Literal["none", "auto", "required"] | NamedChoice = "auto"
    parallel_tool_calls: bool = True

    @model_validator(mode="after")
    def _can_be_chosen(self) -> "ChatRequest":
        """A call that must come needs its tool, and an answer that can be nothing else."""
        if self.tool_choice in ("none", "auto"):
            return self
        named = self.tool_choice.function.name if isinstance(self.tool_choice, NamedChoice) else None
        known = [tool["function"]["name"] for tool in self.tools]
        if not known or named not in (None, *known):
            which = f"{named!r} is none of them ({', '.join(known)})" if known else "there are none"
            raise Refused(f"tool_choice: asks for one of `tools`, and {which}", "tool_choice")
        raise Refused(
            f"tool_choice: {named or self.tool_choice!r} needs vllm, which can keep a model from answering otherwise; "
            "set auto, and look whether a tool was called",
            "tool_choice",
        )

    @property
    def callable_tools(self) -> tuple[Tool, ...]:
        """Tools that the model is told of."""
        return () if self.tool_choice == "none" else self.tools
