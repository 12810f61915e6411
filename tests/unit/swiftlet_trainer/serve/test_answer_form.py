"""Forms that answers are kept to, against what agent templates write."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from swiftlet_trainer.data.tools import ToolCall
from swiftlet_trainer.serve.answer_form import form_of
from swiftlet_trainer.serve.chat_requests import ChatRequest
from swiftlet_trainer.serve.guides import Guides
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.thought_reader import Thinks
from swiftlet_trainer.templates.agents.json_calls import around_calls
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES
from swiftlet_trainer.templates.stops import cut

PLACE = {"type": "object", "properties": {"place": {"type": "string"}, "days": {"type": "integer"}}}
TOOLS: list[Any] = [
    {"type": "function", "function": {"name": name, "parameters": {**PLACE, "required": ["place"]}}}
    for name in ("weather", "snow")
]
CALLS = [
    ToolCall("weather", {"place": 'Genève "</tool_call>"', "days": 2}),
    ToolCall("snow", {"place": "Chur"}),
    ToolCall("weather", {"place": ""}),
]
JSON = [name for name, one in AGENT_TEMPLATES.items() if around_calls(one, ["f"])]
MARKED = [name for name in JSON if len(AGENT_TEMPLATES[name].opening) > 1]
Allows = Callable[..., bool]


def request(**fields: Any) -> ChatRequest:
    asked = {"model": "m", "messages": [{"role": "user", "content": "Bern?"}], "tools": TOOLS}
    return ChatRequest.model_validate({**asked, **fields})


@pytest.fixture(scope="module")
def guides(glm: Any) -> Guides:
    return Guides(glm, len(glm), [glm.eos_token_id])


@pytest.fixture(scope="module")
def allows(glm: Any, guides: Guides) -> Allows:
    """Whether an answer can be said to a request, token by token, and may end there."""

    def allow(said: str, template: str | None, thinks: Thinks = "no", **fields: Any) -> bool:
        form = form_of(request(**fields), AGENT_TEMPLATES[template] if template else None, guides.control, thinks)
        assert form
        guide, ids = guides.guide(form), [0]
        for token in [*glm(said)["input_ids"], glm.eos_token_id]:
            if guide(torch.tensor([ids]), torch.zeros(1, len(glm)))[0, token] != 0:
                return False
            ids.append(token)
        return True

    return allow


def written(template: str, *calls: ToolCall) -> str:
    one = AGENT_TEMPLATES[template]
    return cut(one.written(calls), one.stop).rstrip()


def test_json_is_what_most_templates_write() -> None:
    assert {"hermes", "react_en", "qwen_en", "llama3", "deepseek_v3_1", "chatglm4", "youtu"} <= set(JSON)
    assert {"qwen3_coder", "glm4_5", "minimax_m2"}.isdisjoint(JSON)


@pytest.mark.parametrize("template", JSON)
def test_calls_that_must_come_are_those_that_the_template_writes(allows: Allows, template: str) -> None:
    several = CALLS if AGENT_TEMPLATES[template].parallel else CALLS[:1]
    assert allows(written(template, *several), template, tool_choice="required")
    assert not allows("", template, tool_choice="required")
    assert not allows("I look.", template, tool_choice="required")
    assert not allows(written(template, ToolCall("rain", {"place": "x"})), template, tool_choice="required")
    assert not allows(written(template, ToolCall("snow", {"days": 2})), template, tool_choice="required")


@pytest.mark.parametrize("template", ["hermes", "chatglm4"])
def test_a_named_tool_is_called_once(allows: Allows, template: str) -> None:
    named = {"type": "function", "function": {"name": "snow"}}
    assert allows(written(template, CALLS[1]), template, tool_choice=named)
    assert not allows(written(template, CALLS[0]), template, tool_choice=named)
    assert not allows(written(template, CALLS[1], CALLS[1]), template, tool_choice=named)
    both = written(template, *CALLS[:2])
    assert allows(both, template, tool_choice="required")
    assert not allows(both, template, tool_choice="required", parallel_tool_calls=False)


@pytest.mark.parametrize("template", MARKED)
def test_strict_tools_are_called_by_their_schema_or_not_at_all(allows: Allows, template: str) -> None:
    strict = [{"type": "function", "function": {**one["function"], "strict": True}} for one in TOOLS]
    assert allows("It is {mild} <b>.", template, tools=strict)
    assert allows(f"I look.\n{written(template, *CALLS[:2])}", template, tools=strict)
    assert allows(written(template, CALLS[2]), template, tools=strict)
    assert not allows(f"I look.\n{written(template, ToolCall('snow', {'place': 2}))}", template, tools=strict)


def test_a_schema_stands_beside_tools(allows: Allows) -> None:
    schema = {"type": "object", "properties": {"mild": {"type": "boolean"}}, "required": ["mild"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "w", "schema": schema, "strict": True}}
    for said, template in (
        ('{"mild": true}', "hermes"),
        (written("hermes", CALLS[1]), "hermes"),
        ('{"mild":false}', None),
    ):
        assert allows(said, template, response_format=wanted, tools=TOOLS if template else [])
    assert not allows("Mild.", "hermes", response_format=wanted)
    assert not allows('{"mild": 1}', "hermes", response_format=wanted)
    assert allows('{"any": [1, {}]}', None, response_format={"type": "json_object"}, tools=[])


def test_thoughts_are_free_and_what_comes_behind_is_kept(allows: Allows) -> None:
    wanted, called = {"type": "json_object"}, written("hermes", CALLS[1])
    thought = "Hm {1 < 2}\n<tool_call> or </thin\n</think>\n\n"
    for thinks, before in (("opened", thought), ("may", f"<think>\n{thought}"), ("may", ""), ("no", "")):
        assert allows(f"{before}{{}}", None, thinks, response_format=wanted, tools=[])
        assert not allows(f"{before}Hm.", None, thinks, response_format=wanted, tools=[])
        assert allows(f"{before}{called}", "hermes", thinks, tool_choice="required")
    assert not allows("{}", None, "opened", response_format=wanted, tools=[])
    assert not allows(f"<think>{thought}{{}}", None, "no", response_format=wanted, tools=[])


def test_answers_are_free_where_nothing_is_asked(guides: Guides) -> None:
    hermes = AGENT_TEMPLATES["hermes"]
    assert form_of(request(), hermes, {}) is None
    assert form_of(request(response_format={"type": "text"}), hermes, {}) is None
    assert form_of(request(tool_choice="none"), None, {}) is None


@pytest.mark.parametrize(
    ("template", "fields", "told"),
    [
        ("glm4_5", {"tool_choice": "required"}, "agentTemplate glm4_5 does not write arguments as JSON"),
        (
            "llama3",
            {"tools": [{"type": "function", "function": {"name": "f", "strict": True}}]},
            "calls of agentTemplate llama3 begin as other text may",
        ),
    ],
)
def test_what_cannot_be_kept_to_is_refused(template: str, fields: dict[str, Any], told: str) -> None:
    with pytest.raises(Refused, match=told):
        form_of(request(**fields), AGENT_TEMPLATES[template], {})


def test_all_schemas_that_cannot_be_kept_to_are_told(guides: Guides) -> None:
    bad = [
        {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {"a": schema}}}}
        for name, schema in (("one", {"type": "strin"}), ("two", {"type": "string"}), ("three", {"not": {}}))
    ]
    form = form_of(request(tools=bad, tool_choice="required"), AGENT_TEMPLATES["hermes"], {})
    assert form
    with pytest.raises(Refused) as caught:
        guides.guide(form)
    assert caught.value.param == "tools.0.function.parameters"
    assert str(caught.value).startswith(
        'tools.0.function.parameters: Invalid type: strin; tools.2.function.parameters: Unimplemented keys: ["not"];'
    )
