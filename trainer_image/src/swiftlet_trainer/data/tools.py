"""Tools that a conversation may call, and calls of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Tool = Mapping[str, Any]
"""A function as OpenAI describes one: {"type": "function", "function": {"name", "description", "parameters"}};
parameters are a JSON schema."""


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool. arguments: by name, values of JSON. id: by which its result names it,
    where the data says."""

    name: str
    arguments: Mapping[str, Any]
    id: str | None = None

    @property
    def texts(self) -> list[str]:
        """All that is said in it; arguments are their JSON."""
        return [self.name, json.dumps(self.arguments, ensure_ascii=False)]

    @property
    def message(self) -> dict[str, Any]:
        """As chat templates take it: arguments are an object, not its text."""
        call: dict[str, Any] = {"type": "function", "function": {"name": self.name, "arguments": self.arguments}}
        return call if self.id is None else {**call, "id": self.id}


def tool_texts(tools: Sequence[Tool]) -> list[str]:
    """All that is said in descriptions of tools: the JSON of each."""
    return [json.dumps(tool, ensure_ascii=False) for tool in tools]
