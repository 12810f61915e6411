"""What every agent template writes, it reads back: the same calls, or a refusal before anything is learnt."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES
from swiftlet_trainer.templates.agents.template import AgentTemplate, UnwritableError, function_of

TEMPLATES = list(AGENT_TEMPLATES.values())
MARKUP = [
    "</tool_call>", "<tool_call>", "\nObservation: none", "\nAction: f\nAction Input: {}", "✿FUNCTION✿: f\n✿ARGS✿: {}",
    '"', "\\", "\n", "'", "{", "}", "[]", "null", "1", "1.0", "true", "NaN", " ", "", "\u2028", "\U0001f600",
    "&lt;", "\t", "</arg_value>", "</parameter>", "<|im_end|>", "</s>", "]", "<｜tool▁call▁end｜>", "{{x}}",
]  # fmt: skip
TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(MARKUP),
    st.lists(st.sampled_from(MARKUP), max_size=3).map("".join),
)
NUMBERS = st.one_of(st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_.-]{0,20}", fullmatch=True)
CALLS = st.lists(st.builds(ToolCall, NAMES, st.dictionaries(TEXT, VALUES, max_size=4)), min_size=1, max_size=3)
KINDS: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
}


def tools_of(calls: list[ToolCall]) -> tuple[Tool, ...]:
    """Tools whose schemas say the types of the calls' arguments."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for call in calls:
        known = found.setdefault(call.name, {})
        for name, value in call.arguments.items():
            known[name] = {"type": KINDS[type(value)]} if value is not None else {}
    return tuple(
        {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": properties}}}
        for name, properties in found.items()
    )


def said(calls: "list[ToolCall] | tuple[ToolCall, ...]") -> list[str]:
    """Calls so that types and order count."""
    return [json.dumps([call.name, call.arguments]) for call in calls]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.name)
@given(calls=CALLS, content=TEXT)
@settings(max_examples=20, deadline=None)
def test_what_is_written_is_read_back_or_refused(template: AgentTemplate, calls: list[ToolCall], content: str) -> None:
    tools = tools_of(calls)
    try:
        text = template.answer(Turn("assistant", content, calls=tuple(calls)), tools)
    except UnwritableError:
        return
    found = template.parse(text, tools)
    assert said(found.calls) == said(calls)
    assert found.problems == ()


HOSTILE = ToolCall(
    "file_report",
    {
        "text": 'He said "no"\n\tand\\left: {"name": "x", "arguments": {}} — ünï 😀',
        "nested": {"list": [1, 2.5, None, True, {"a": []}], "empty": ""},
        "count": 3,
        "share": 0.25,
        "certain": False,
        "nothing": None,
    },
)
TOOL: Tool = {
    "type": "function",
    "function": {
        "name": "file_report",
        "description": "Files a report.",
        "parameters": {
            "type": "object",
            "properties": {
                "text": {"type": "string", "description": "What it says."},
                "nested": {"type": "object"},
                "count": {"type": "integer"},
                "share": {"type": "number"},
                "certain": {"type": "boolean"},
                "nothing": {"type": ["string", "null"]},
            },
            "required": ["text"],
        },
    },
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.name)
def test_arguments_of_every_kind_come_back_with_their_types(template: AgentTemplate) -> None:
    for calls in ((HOSTILE,), (ToolCall("file_report", {}),), (HOSTILE, ToolCall("file_report", {"text": "second"}))):
        if len(calls) > 1 and not template.parallel:
            continue
        text = template.answer(Turn("assistant", "I will file it.", calls=calls), [TOOL])
        found = template.parse(text, [TOOL])
        assert (said(found.calls), found.problems) == (said(calls), ())
        assert found.content == "I will file it."


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.name)
def test_tools_and_results_are_written(template: AgentTemplate) -> None:
    text = template.introduced([TOOL], "Be brief.")
    assert "Be brief." in text
    assert all(
        part in text for part in (function_of(TOOL)["name"], "Files a report.", "What it says.", "count", "certain")
    )
    results = template.results([Turn("tool", "filed as 7", name="file_report"), Turn("tool", "filed as 8")])
    assert results.index("filed as 7") < results.index("filed as 8")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.name)
def test_an_answer_without_calls_is_its_text(template: AgentTemplate) -> None:
    assert template.answer(Turn("assistant", "It is filed.")) == "It is filed."
    assert template.parse("It is filed.") == template.read("It is filed.", ())
    assert (template.parse("It is filed.").content, template.parse("It is filed.").calls) == ("It is filed.", ())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.name)
def test_a_number_that_json_does_not_have_is_refused(template: AgentTemplate) -> None:
    with pytest.raises(UnwritableError, match="infinite or NaN"):
        template.answer(Turn("assistant", "", calls=(ToolCall("file_report", {"share": float("inf")}),)), [TOOL])


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.name)
def test_what_an_answer_says_must_not_read_as_a_call(template: AgentTemplate) -> None:
    forged = template.written([ToolCall("file_report", {"text": "forged"})])
    with pytest.raises(UnwritableError, match=template.name):
        template.answer(Turn("assistant", forged, calls=(HOSTILE,)), [TOOL])


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.name)
def test_a_call_that_is_cut_is_no_call(template: AgentTemplate) -> None:
    text = template.written([HOSTILE])
    found = template.parse(text[: text.index("list") + 6], [TOOL])
    assert found.calls == ()
    assert len(found.problems) == 1
