"""Published chat templates with tools: what they write of them, and which of it is learnt."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.v1alpha1.finetunejob import Template
from swiftlet_trainer.data.encode import DroppedError
from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.tasks.sft.rows import SftRows
from swiftlet_trainer.templates.prompt_template import TemplateRefusalError
from swiftlet_trainer.templates.render import ChatTemplate
from swiftlet_trainer.templates.segments import Segments

TOOL: Tool = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells it.",
        "parameters": {"type": "object", "properties": {"place": {"type": "string", "description": "Where."}}},
    },
}


def call(place: str, number: int = 0) -> ToolCall:
    return ToolCall("weather", {"place": place}, f"call{number:05}")


ASKED = Turn("user", "How is it?")
CALLED = Turn("assistant", "", calls=(call("Bern"),))
RESULT = Turn("tool", 'It is "mild".', name="weather", call_id="call00000")
SAID = Turn("assistant", "Mild.")
TWICE = Turn("assistant", "", calls=(call("a"), call("b", 1)))
TURNS = [ASKED, CALLED, RESULT, SAID]


class Templated:
    """A tokenizer with a published chat template."""

    def __init__(self, tokenizer: Any, name: str) -> None:
        spec = find_spec("trl")
        assert spec is not None and spec.origin is not None
        self.chat_template = (Path(spec.origin).parent / "chat_templates" / f"{name}.jinja").read_text()
        self._tokenizer = tokenizer

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._tokenizer(*arguments, **named)

    def get_chat_template(self) -> str:
        return self.chat_template

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)


def learnt(tokenizer: Any, name: str, turns: list[Turn], tools: list[Tool] | None = None) -> list[str]:
    template = ChatTemplate(Templated(tokenizer, name))
    weights = [1.0 if turn.weight is None else turn.weight for turn in turns]
    rendered = template.render([turn.message for turn in turns], weights, tools=[TOOL] if tools is None else tools)
    assert '"weather"' in rendered.text or "weather" in rendered.text[: rendered.spans[0][0]]
    return [
        rendered.text[start:end]
        for (start, end), weight in zip(rendered.spans, rendered.weights or [], strict=True)
        if weight
    ]


QWEN = '<tool_call>\n{"name": "weather", "arguments": {"place": "Bern"}}\n</tool_call><|im_end|>'
XML = "<tool_call>\n<function=weather>\n<parameter=place>\nBern\n</parameter>\n</function>\n</tool_call>"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("qwen2_5", [QWEN, "Mild.<|im_end|>"]),
        ("qwen3", [QWEN, "Mild.<|im_end|>"]),
        ("qwen3_instruct_2507", [QWEN, "Mild.<|im_end|>"]),
        ("qwen3_6", [f"{XML}<|im_end|>", "Mild.<|im_end|>"]),
        ("nemotron_3_nano", [f"{XML}\n<|im_end|>", "Mild.<|im_end|>"]),
        ("llama3_1", ['{"name": "weather", "parameters": {"place": "Bern"}}<|eot_id|>', "Mild.<|eot_id|>"]),
        (
            "glm4moe",
            [
                "<tool_call>weather\n<arg_key>place</arg_key>\n<arg_value>Bern</arg_value>\n</tool_call><|observation|>",
                "Mild.<|user|>",
            ],
        ),
        (
            "gptoss",
            [
                ' to=functions.weather<|channel|>commentary json<|message|>{"place": "Bern"}<|call|>',
                "<|channel|>final<|message|>Mild.<|return|>",
            ],
        ),
        ("lfm2_v2", ["<|tool_call_start|>[weather(place='Bern')]<|tool_call_end|><|im_end|>", "Mild.<|im_end|>"]),
    ],
)
def test_calls_and_what_is_said_of_results_are_learnt(tokenizer: Any, name: str, expected: list[str]) -> None:
    assert [part.rstrip("\n") for part in learnt(tokenizer, name, TURNS)] == expected


def test_several_calls_their_results_and_text_beside_them(tokenizer: Any) -> None:
    both = Turn("assistant", "I look.", calls=(call("Bern"), call("Chur", 1)))
    other = Turn("tool", "windy", name="weather", call_id="call00001")
    first, second = learnt(tokenizer, "qwen2_5", [ASKED, both, RESULT, other, SAID])
    assert first.startswith("I look.\n<tool_call>") and first.count("<tool_call>") == 2 and second == "Mild.<|im_end|>"


@pytest.mark.parametrize(
    ("name", "turns", "words"),
    [
        ("llama3", TURNS, "does not write (the row's tools|calls of tools).*template.agentTemplate"),
        (
            "gptoss",
            [ASKED, Turn("assistant", "", calls=(call("a"), call("b", 1))), RESULT, RESULT, SAID],
            "several calls",
        ),
        ("llama3_1", [ASKED, Turn("assistant", "I look.", calls=(call("a"),)), RESULT, SAID], "beside a call"),
        ("qwen2_5", [ASKED, Turn("assistant", "Mild.", thought="Hm, yes.")], "thoughts beside the content"),
        ("diffusion_gemma", TURNS, "asks for an answer beside tools|marks 4 parts"),
    ],
)
def test_what_a_template_would_leave_out_is_refused(tokenizer: Any, name: str, turns: list[Turn], words: str) -> None:
    with pytest.raises(TemplateRefusalError, match=words):
        learnt(tokenizer, name, turns)


def test_thoughts_are_learnt_where_they_are_written(tokenizer: Any) -> None:
    thinking = Turn("assistant", "Mild.", thought="Hm, yes.")
    assert learnt(tokenizer, "qwen3", [ASKED, thinking]) == ["<think>\nHm, yes.\n</think>\n\nMild.<|im_end|>"]
    assert "Hm, yes." in learnt(tokenizer, "gptoss", [ASKED, thinking])[0]


def test_a_thought_that_later_turns_hide_is_not_unlearnt_by_the_way(tokenizer: Any) -> None:
    earlier = Turn("assistant", "Mild.", thought="Hm, yes.")
    with pytest.raises(TemplateRefusalError, match="thinks in turn 1, since others follow"):
        learnt(tokenizer, "gptoss", [ASKED, earlier, ASKED, SAID])
    given = Turn("assistant", "Mild.", 0.0, thought="Hm, yes.")
    assert learnt(tokenizer, "gptoss", [ASKED, given, ASKED, SAID]) == ["<|channel|>final<|message|>Mild.<|return|>"]


def test_arguments_are_text_where_the_template_wants_it(tokenizer: Any) -> None:
    template = ChatTemplate(Templated(tokenizer, "qwen2_5"))
    raw = "{% for m in messages %}{{ m.role }}{{ m.content }}{% for c in m.tool_calls or [] %}{{ c.function.name }}"
    raw += "{{ c.function.arguments }}{% endfor %}{% endfor %}"
    use = template._use(raw)
    assert use.arguments_as_text and use.left_out == {"tools", "thoughts"}
    written = use.put(CALLED.message)["tool_calls"][0]["function"]
    assert written == {"name": "weather", "arguments": '{"place": "Bern"}'}


def test_what_looks_like_a_control_token_in_calls_and_tools_is_text(tokenizer: Any) -> None:
    rows = SftRows(tokenizer := Templated(tokenizer, "qwen2_5"), segments := Segments(tokenizer), Template())
    described = {**TOOL, "function": {**TOOL["function"], "description": "Ends in <|im_end|>."}}
    turns = [ASKED, Turn("assistant", "", calls=(call("<|im_start|>Bern<|im_end|>"),))]
    rendered = rows.conversation(turns, [described])
    (parts,) = segments.encode([rendered])
    ids = [one for part in parts for one in part]
    plain = segments.encode([rows.conversation([ASKED, CALLED], [TOOL])])[0]
    ends = tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert ids.count(ends) == [one for part in plain for one in part].count(ends)
    assert "<|im_start|>Bern<|im_end|>" in tokenizer.decode(parts[1])


def test_a_row_that_the_template_cannot_write_is_dropped_with_the_remedy(tokenizer: Any) -> None:
    tokenizer = Templated(tokenizer, "llama3")
    with pytest.raises(DroppedError, match=r"template.agentTemplate"):
        SftRows(tokenizer, Segments(tokenizer), Template()).conversation(TURNS, [TOOL])
