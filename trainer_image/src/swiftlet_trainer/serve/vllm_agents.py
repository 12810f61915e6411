"""Requests with tools to vLLM, for names whose agent template its chat template does not write."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from pydantic import TypeAdapter, ValidationError

from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.tool_descriptions import tools_of
from swiftlet_trainer.serve.agent_texts import as_texts, linked_turns
from swiftlet_trainer.serve.chat_requests import ChatTurn
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.vllm_tools import WRITTEN, ServedAgents
from swiftlet_trainer.templates.agents.plain import plain
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES

TURNS = TypeAdapter(list[ChatTurn])
TOOL_KEYS = ("tool_calls", "tool_call_id")


def with_agent(request: Mapping[str, Any], served: ServedAgents) -> dict[str, Any]:
    """A request in which tools, calls and results are texts, as the agent template of its model writes them. The tools
    stay in it, since vLLM parses calls for their sake. Raises Refused."""
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
    said, continues = as_texts(linked_turns(given, tools), tools, agent, partial(plain, template=template))
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
