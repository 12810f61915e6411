"""Requests with tools to vLLM, for names whose agent template its chat template does not write."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from pydantic import TypeAdapter, ValidationError

from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.tool_descriptions import tools_of
from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.serve.agent_texts import Write, as_texts, linked_turns, require_free, texts_of
from swiftlet_trainer.serve.chat_requests import ChatTurn
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.vllm_tools import WRITTEN, ServedAgents
from swiftlet_trainer.templates.agents.plain import plain
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES
from swiftlet_trainer.templates.agents.writing import AgentWriter
from swiftlet_trainer.templates.prompt_template import UnsuitableTemplateError

TURNS = TypeAdapter(list[ChatTurn])
TOOL_KEYS = ("tool_calls", "tool_call_id")


@cache
def write_of(agent: str, renderer: Any) -> Write:
    """How an agent template makes texts of turns and tools for a renderer of vLLM: with stand-ins for its control
    tokens where that is a ShieldingRenderer. Both this and what it returns raise Refused."""
    special = getattr(renderer, "special", None)
    if special is None:  # of a family whose chats vLLM writes in a way of its own
        return partial(plain, template=AGENT_TEMPLATES[agent])
    try:
        writer = AgentWriter(agent, renderer.get_tokenizer(), special)
    except UnsuitableTemplateError as error:
        raise Refused(f"tools: {error}", "tools") from None

    def write(turns: Sequence[Turn], tools: Sequence[Tool]) -> list[Turn]:
        require_free(texts_of(turns, tools), special)
        return writer.turns(turns, tools)

    return write


def with_agent(request: Mapping[str, Any], served: ServedAgents, write_of: Callable[[str], Write]) -> dict[str, Any]:
    """A request in which tools, calls and results are texts, as the agent template of its model writes them. The tools
    stay in it, since vLLM parses calls for their sake. write_of: how each agent template does. Raises Refused."""
    agent = served.agents.get(str(request.get("model")))
    messages, asked = request.get("messages"), request.get("tools") if request.get("tool_choice") != "none" else None
    if not agent or not isinstance(messages, list) or not (asked or any(map(_is_of_tools, messages))):
        return dict(request)
    template = AGENT_TEMPLATES[agent]
    if asked and not served.reads(agent):
        raise Refused(
            f"tools: vllm does not read calls here as agentTemplate {agent} has them; set spec.engine.name of the "
            "ModelDeployment to transformers, or serve the model in a deployment of its own",
            "tools",
        )
    try:
        tools = tools_of(asked, "tools")
        given = [turn.said() for turn in TURNS.validate_python(messages)]
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in ("messages", *first["loc"]))
        raise Refused(f"{place}: {first['msg']}", "messages") from None
    except RowError as error:
        raise Refused(str(error), "tools") from None
    said, continues = as_texts(linked_turns(given, tools), tools, agent, write_of(agent))
    changed = {**request, "messages": [turn.message for turn in said]}
    changed["chat_template_kwargs"] = {**(request.get("chat_template_kwargs") or {}), WRITTEN: True}
    if template.stop and asked:
        stops = request.get("stop") or []
        changed["stop"] = [*([stops] if isinstance(stops, str) else stops), *template.stop]
    if continues:
        changed |= {"continue_final_message": True, "add_generation_prompt": False}
    return changed


def _is_of_tools(turn: Any) -> bool:
    return isinstance(turn, Mapping) and (turn.get("role") == "tool" or any(turn.get(key) for key in TOOL_KEYS))
