"""What a chat template writes of tools, calls, results and thoughts, and how it wants them: found by trying."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Message

NAME, PLACES = "tell_weather", ("Bern", "Chur")
TOOLS: list[Tool] = [
    {
        "type": "function",
        "function": {
            "name": NAME,
            "description": "Tells the weather of a place.",
            "parameters": {
                "type": "object",
                "properties": {"place": {"type": "string", "description": "Which place."}},
                "required": ["place"],
            },
        },
    }
]
QUESTION: Message = {"role": "user", "content": "How is the weather there?"}
RESULT: Message = {"role": "tool", "content": "Mild, 12 degrees.", "name": NAME, "tool_call_id": "call00000"}
OTHER_RESULT: Message = {**RESULT, "content": "Windy and cold.", "tool_call_id": "call00001"}
ANSWER: Message = {"role": "assistant", "content": "Mild, I hear."}
BESIDE, THOUGHT = "Let me look.", "They ask about the weather."
THOUGHT_KEYS = ("reasoning_content", "thinking", "reasoning")
"""Names that chat templates have for the assistant's thoughts: those of Qwen and GLM, gpt-oss, and Gemma."""
AGENT = "set template.agentTemplate, which writes them as text, or use a model whose template writes them"
KINDS = {
    "tools": f"the row's tools; {AGENT}",
    "calls": f"calls of tools; {AGENT}",
    "several calls": f"several calls in one turn; {AGENT}, or make a turn of each call",
    "text beside calls": "what is said beside a call; leave the text or the row out, or set template.agentTemplate",
    "results": f"results of tools; {AGENT}",
    "thoughts": "thoughts beside the content; write them into it as the model does, such as <think>…</think>, or leave "
    "them out",
}
"""What a template may leave out, and the remedy."""

Write = Callable[[Sequence[Message], Sequence[Tool]], str | None]
"""Renders a conversation; None where the template refuses it."""


@dataclass(frozen=True)
class ToolUse:
    """How a template takes arguments and thoughts, and which of KINDS it leaves out."""

    arguments_as_text: bool
    thought_key: str
    left_out: frozenset[str]

    def put(self, message: Message) -> Message:
        """A message in the template's own convention."""
        found = message
        if "reasoning_content" in message and self.thought_key != THOUGHT_KEYS[0]:
            found = {key: one for key, one in message.items() if key != THOUGHT_KEYS[0]}
            found[self.thought_key] = message[THOUGHT_KEYS[0]]
        if "tool_calls" in message and self.arguments_as_text:
            found = {**found, "tool_calls": [_as_text(call) for call in message["tool_calls"]]}
        return found

    def not_written(self, messages: Sequence[Message], tools: Sequence[Tool]) -> str | None:
        """What of a conversation the template leaves out, with the remedy."""
        return next((KINDS[kind] for kind in self.left_out_of(messages, tools)), None)

    def left_out_of(self, messages: Sequence[Message], tools: Sequence[Tool]) -> list[str]:
        """Those of KINDS that a conversation has and the template leaves out."""
        held = _kinds(messages, tools)
        return [kind for kind in KINDS if kind in held & self.left_out]


def tool_use(write: Write) -> ToolUse:
    """Of the template that `write` renders with."""
    objects = write([QUESTION, _call(1), RESULT, ANSWER], TOOLS)
    as_text = objects is None or "{'place'" in objects
    if as_text:
        texts = write([QUESTION, _as_texts(_call(1)), RESULT, ANSWER], TOOLS)
        as_text = texts is not None and PLACES[0] in texts
    thoughts = {
        key: (write([QUESTION, {**ANSWER, key: THOUGHT}], ()), write([QUESTION, {**_call(1), key: THOUGHT}], TOOLS))
        for key in THOUGHT_KEYS
    }
    key = next((key for key, texts in thoughts.items() if any(text and THOUGHT in text for text in texts)), None)
    how = ToolUse(as_text, key or THOUGHT_KEYS[0], frozenset())
    left_out = {kind for kind, found in _tried(write, how).items() if not found}
    return ToolUse(as_text, how.thought_key, frozenset(left_out if key else {*left_out, "thoughts"}))


def _tried(write: Write, how: ToolUse) -> dict[str, bool]:
    """Of each kind but thoughts, whether it is written. What is refused is told when a row is."""

    def has(texts: Sequence[str], messages: Sequence[Message], tools: Sequence[Tool] = TOOLS) -> bool:
        found = write([how.put(one) for one in messages], tools)
        return found is None or all(text in found for text in texts)

    one, two = _call(1), _call(2)
    return {
        "tools": has([NAME], [QUESTION, ANSWER]),
        "calls": has(PLACES[:1], [QUESTION, one, RESULT, ANSWER]) and has([NAME], [QUESTION, one, RESULT, ANSWER], ()),
        "several calls": has(PLACES, [QUESTION, two, RESULT, OTHER_RESULT, ANSWER]),
        "text beside calls": has([BESIDE], [QUESTION, {**one, "content": BESIDE}, RESULT]),
        "results": has([RESULT["content"]], [QUESTION, one, RESULT, ANSWER])
        and has([OTHER_RESULT["content"]], [QUESTION, one, RESULT, ANSWER, QUESTION, one, OTHER_RESULT, ANSWER]),
    }


def _kinds(messages: Sequence[Message], tools: Sequence[Tool]) -> set[str]:
    """Which of KINDS a conversation has."""
    found = {"tools"} if tools else set()
    for message in messages:
        calls = message.get("tool_calls", ())
        found |= {"calls"} if calls else set()
        found |= {"several calls"} if len(calls) > 1 else set()
        found |= {"text beside calls"} if calls and message["content"].strip() else set()
        found |= {"results"} if message["role"] == "tool" else set()
        found |= {"thoughts"} if "reasoning_content" in message else set()
    return found


def _call(count: int) -> Message:
    calls = [
        {"type": "function", "function": {"name": NAME, "arguments": {"place": place}}, "id": f"call{index:05}"}
        for index, place in enumerate(PLACES[:count])
    ]
    return {"role": "assistant", "content": "", "tool_calls": calls}


TOOL_PROBE = [QUESTION, _call(1), RESULT, ANSWER]
"""A call, what came of it, and the answer."""


def _as_texts(message: Message) -> Message:
    return {**message, "tool_calls": [_as_text(call) for call in message["tool_calls"]]}


def _as_text(call: Any) -> Any:
    function = call["function"]
    return {**call, "function": {**function, "arguments": json.dumps(function["arguments"], ensure_ascii=False)}}
