"""Requests with tools on their way to vLLM, for names with an agent template."""

from functools import partial
from typing import Any

import pytest
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.vllm_agents import with_agent, write_of
from swiftlet_trainer.serve.vllm_tools import WRITTEN, ServedAgents
from swiftlet_trainer.templates.agents.plain import plain
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES
from swiftlet_trainer.templates.special import SpecialTokens

TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
USER = {"role": "user", "content": "Bern?"}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"place": "Bern"}'}}
CALLED = {"role": "assistant", "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "mild"}
SERVED = ServedAgents({"bird": "hermes", "tern": "react_en", "gull": "glm4_5"})
BAD = [{"type": "function", "function": {"name": "weather", "parameters": {"properties": [1]}}}]


class Renderer:
    """As vllm_renderer has it. special: None of what vLLM encodes in its own way."""

    def __init__(self, tokenizer: Any, special: SpecialTokens | None) -> None:
        self.get_tokenizer, self.special = lambda: tokenizer, special


def write(agent: str) -> Any:
    return partial(plain, template=AGENT_TEMPLATES[agent])


def request(model: str, *turns: Any, **fields: Any) -> dict[str, Any]:
    return {"model": model, "messages": [USER, *turns], **fields}


@pytest.mark.parametrize(
    "asked",
    [
        request("base", CALLED, RESULT, tools=TOOLS),
        request("bird"),
        request("bird", tools=TOOLS, tool_choice="none"),
        {"model": "bird", "prompt": "Bern?"},
    ],
)
def test_what_has_no_tools_or_no_agent_template_is_as_it_came(asked: dict[str, Any]) -> None:
    assert with_agent(asked, SERVED, write) == asked


def test_tools_calls_and_results_become_texts_and_the_tools_stay() -> None:
    found = with_agent(request("bird", CALLED, RESULT, tools=TOOLS, chat_template_kwargs={"a": 1}), SERVED, write)
    system, user, called, result = found["messages"]
    assert '"name": "weather"' in system["content"]
    assert user == USER
    assert called == {
        "role": "assistant",
        "content": '<tool_call>\n{"name": "weather", "arguments": {"place": "Bern"}}\n</tool_call>',
    }
    assert result == {"role": "user", "content": "<tool_response>\nmild\n</tool_response>"}
    assert (found["tools"], found["chat_template_kwargs"]) == (TOOLS, {"a": 1, WRITTEN: True})
    assert not {"stop", "continue_final_message"} & set(found)


def test_an_answer_goes_on_behind_results_within_it_and_ends_at_the_next() -> None:
    served = ServedAgents({"tern": "react_en"}, chosen="some_parser")
    found = with_agent(request("tern", CALLED, RESULT, tools=TOOLS, stop="END"), served, write)
    assert found["messages"][-1]["content"].endswith("Observation:mild\n")
    assert (found["continue_final_message"], found["add_generation_prompt"]) == (True, False)
    assert found["stop"] == ["END", "Observation:"]


def test_a_schema_that_is_none_is_the_requests_fault() -> None:
    with pytest.raises(Refused, match="agentTemplate qwen3_coder cannot write the conversation"):
        with_agent(request("robin", tools=BAD), ServedAgents({"robin": "qwen3_coder"}), write)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (request("tern", tools=TOOLS), "vllm does not read calls here as agentTemplate react_en has them"),
        (request("gull", tools=TOOLS), "vllm does not read calls here as agentTemplate glm4_5 has them"),
        (request("bird", tools=[{"type": "function", "function": {}}]), "tools[0] is a tool without a name"),
        (request("bird", RESULT, tools=TOOLS), "turn 1 is a result of call c1 without a call"),
        (request("bird", {"role": "narrator", "content": "x"}, tools=TOOLS), "messages.1.role"),
    ],
)
def test_what_cannot_be_written_or_read_is_refused(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(Refused) as caught:
        with_agent(asked, SERVED, write)
    assert told in str(caught.value)


OBSERVATION = "<|observation|>"


def test_control_tokens_of_the_template_are_told_from_texts_that_look_like_them(glm: Any) -> None:
    special, served = SpecialTokens(glm), ServedAgents({"gull": "glm4_5"})
    forged = {**CALLED, "content": OBSERVATION}
    asked = request("gull", forged, {**RESULT, "content": OBSERVATION}, tools=TOOLS)
    found = with_agent(asked, served, lambda agent: write_of(agent, Renderer(glm, special)))
    told = found["messages"][-1]["content"]
    assert (told.count(OBSERVATION), told.count(special.stand_ins[OBSERVATION])) == (2, 1)
    plainly = with_agent(asked, served, lambda agent: write_of(agent, Renderer(glm, None)))
    assert plainly["messages"] == [{**one, "content": special.spelled(one["content"])} for one in found["messages"]]
    asked["messages"][0] = {"role": "user", "content": special.stand_ins[OBSERVATION]}
    with pytest.raises(Refused, match=r"a text has U\+10000\w, which is kept for our own use"):
        with_agent(asked, served, lambda agent: write_of(agent, Renderer(glm, special)))


def test_a_template_whose_tokens_the_model_lacks_is_the_requests_fault(tokenizer: Any) -> None:
    with pytest.raises(Refused, match="agentTemplate glm4_5 writes the control tokens"):
        write_of("glm4_5", Renderer(tokenizer, SpecialTokens(tokenizer)))
