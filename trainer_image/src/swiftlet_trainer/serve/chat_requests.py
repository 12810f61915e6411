"""Requests of conversations, in which tools may be called.

Source: platform.openai.com/docs/api-reference/chat.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, model_validator

from swiftlet_trainer.data.calls import calls_of
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.tool_descriptions import tools_of
from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.serve.openai_requests import MESSAGE, REQUEST, ChatMessage, Fields, Neutral, Refused, Request

DONE_HERE = ("tools", "tool_choice", "parallel_tool_calls", "response_format")

SCHEMA_FIELDS = {"name", "description", "strict", "schema"}
ANY_OBJECT: Mapping[str, Any] = {"type": "object"}


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


class ResponseFormat(Fields):
    """What an answer is. json_schema: {"name", "description", "strict", "schema"}, of which the last is kept to."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "ResponseFormat":
        given = self.json_schema or {}
        if (self.type == "json_schema") != bool(given):
            raise Refused("json_schema: stands beside type json_schema, and only there", "json_schema")
        if unknown := sorted(set(given) - SCHEMA_FIELDS):
            raise Refused(f"json_schema.{unknown[0]}: not supported, leave it out", f"json_schema.{unknown[0]}")
        if given and not isinstance(given.get("schema"), Mapping):
            raise Refused("json_schema.schema: must be a JSON schema; give an object", "json_schema.schema")
        return self

    @property
    def wanted(self) -> Mapping[str, Any]:
        """The JSON schema of the answer."""
        return self.json_schema["schema"] if self.json_schema else ANY_OBJECT


def _unless_text(given: ResponseFormat | None) -> ResponseFormat | None:
    return given if given and given.type != "text" else None


class ChatTurn(ChatMessage):
    """One turn, which may call tools or be what came of a call."""

    neutral: ClassVar[Neutral] = {field: nothing for field, nothing in MESSAGE.items() if field != "tool_calls"}
    renamed: ClassVar[Mapping[str, str]] = {"reasoning_content": "reasoning"}

    role: Literal["system", "developer", "user", "assistant", "tool"]  # type: ignore[assignment]
    tool_calls: Annotated[tuple[ToolCall, ...], PlainValidator(_calls)] = ()
    tool_call_id: str | None = None
    reasoning: str | None = None

    @model_validator(mode="after")
    def _whose(self) -> "ChatTurn":
        for field, role in (("tool_calls", "assistant"), ("reasoning", "assistant"), ("tool_call_id", "tool")):
            if getattr(self, field) and self.role != role:
                raise Refused(f"{field}: the {self.role} has none, only the {role}; leave it out", field)
        return self

    def said(self) -> Turn:
        """The same as training has it."""
        text = "".join(part.text for part in self.content)
        if self.role == "tool":
            return Turn("tool", text, name=self.name, call_id=self.tool_call_id)
        role = "system" if self.role == "developer" else self.role
        return Turn(role, text, thought=self.reasoning or None, calls=self.tool_calls)


class ChatRequest(Request):
    """POST /v1/chat/completions."""

    neutral: ClassVar[Neutral] = {field: nothing for field, nothing in REQUEST.items() if field not in DONE_HERE}

    messages: Annotated[list[ChatTurn], Field(min_length=1)]
    tools: Annotated[tuple[Tool, ...], PlainValidator(_tools)] = ()
    tool_choice: Literal["none", "auto", "required"] | NamedChoice = "auto"
    parallel_tool_calls: bool = True
    response_format: Annotated[ResponseFormat | None, AfterValidator(_unless_text)] = None

    @model_validator(mode="after")
    def _can_be_chosen(self) -> "ChatRequest":
        """A call that must come needs its tool."""
        if not self.must_call:
            return self
        named = self.tool_choice.function.name if isinstance(self.tool_choice, NamedChoice) else None
        known = [tool["function"]["name"] for tool in self.tools]
        if not known or named not in (None, *known):
            which = f"{named!r} is none of them ({', '.join(known)})" if known else "there are none"
            raise Refused(f"tool_choice: asks for one of `tools`, and {which}", "tool_choice")
        return self

    @property
    def must_call(self) -> bool:
        """Whether the answer is one or more calls."""
        return self.tool_choice not in ("none", "auto")

    @property
    def callable_tools(self) -> tuple[Tool, ...]:
        """Tools that the model is told of."""
        return () if self.tool_choice == "none" else self.tools
