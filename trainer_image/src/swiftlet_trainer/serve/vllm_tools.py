"""By which of its parsers vLLM reads the calls of a model, and what it is told so that prompts are as in training.

vLLM writes prompts by the model's chat template. For names with an agent template, requests reach it as texts
(vllm_agents), and the chat template leaves the tools out, which are in the texts already.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from swiftlet.wire.documents import ServeDocument

AGENTS_VARIABLE = "SWIFTLET_AGENTS"
"""Of vLLM's process: ServedAgents as JSON."""
PARSER_FLAG = "--tool-call-parser"
WRITTEN = "tools_are_written"
"""Variable of the chat template, set for requests whose tools are in their texts."""
PARSERS: Mapping[str, str] = {
    "hermes": "hermes",
    "youtu": "hermes",
    "qwen3_coder": "qwen3_coder",
    "qwen3_5": "qwen3_coder",
    "glm4_5": "glm45",
    "glm4_7": "glm47",
    "glm5_1": "glm47",
    "llama3": "llama3_json",
    "llama4": "llama4_json",
    "deepseek_v3_1": "deepseek_v31",
    "deepseek_v4": "deepseek_v4",
    "minimax_m2": "minimax_m2",
    "minicpm5": "minicpm5",
    "seed_oss": "seed_oss",
}
"""vLLM's parser of what an agent template writes, where it has one."""
FAMILIES: Mapping[str, str] = {
    "mistral": "mistral",
    "mistral3": "mistral",
    "mixtral": "mistral",
    "gpt_oss": "openai",
    "gemma4": "gemma4",
    "granite": "granite",
    "granitemoehybrid": "granite4",
    "lfm2": "lfm2",
    "lfm2_moe": "lfm2",
    "internlm2": "internlm",
    "jamba": "jamba",
    "olmo3": "olmo3",
    "deepseek_v3": "deepseek_v3",
    "ernie4_5": "ernie45",
    "apertus": "apertus",
}
"""vLLM's parser for models by `model_type`, where no agent template reads what their chat templates write."""


def parser_of(model: Path, agents: Mapping[str, str], chosen: str | None) -> str | None:
    """The parser that is chosen, that of the first agent template which has one, else of what the model's own chat
    template writes; None where that writes no tools or is of no family that is known."""
    of_agents = (PARSERS[agent] for agent in agents.values() if agent in PARSERS)
    return chosen or next(of_agents, None) or (_of_model(model) if "tools" in chat_template_of(model) else None)


def _of_model(model: Path) -> str | None:
    from transformers import AutoTokenizer

    from swiftlet_trainer.templates.agents.recognition import recognized
    from swiftlet_trainer.templates.prompt_template import UnsuitableTemplateError

    try:
        found = recognized(AutoTokenizer.from_pretrained(model, trust_remote_code=False, local_files_only=True))
    except UnsuitableTemplateError:
        return None
    if found:
        return PARSERS.get(found.name)
    return FAMILIES.get(json.loads((model / "config.json").read_text(encoding="utf-8")).get("model_type", ""))


def chat_template_of(model: Path) -> str:
    """The text of a model's default chat template; empty without one."""
    file, config = model / "chat_template.jinja", model / "tokenizer_config.json"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    found = json.loads(config.read_text(encoding="utf-8")).get("chat_template") if config.is_file() else None
    if isinstance(found, list):
        found = {one["name"]: one["template"] for one in found}.get("default")
    return found or ""


def tool_arguments(model: Path, arguments: Sequence[str], agents: Mapping[str, str], chosen: str | None) -> list[str]:
    """What vLLM is started with before `arguments`, which win."""
    found, parser = list[str](), parser_of(model, agents, chosen)
    if parser:
        named = [] if value_of(PARSER_FLAG, arguments) else [PARSER_FLAG, parser]
        found += ["--enable-auto-tool-choice", *named]
    if agents:
        template = chat_template_of(model)
        found += ["--chat-template", f"{{%- if {WRITTEN} is defined %}}{{% set tools = none %}}{{% endif %}}{template}"]
    return found


@dataclass(frozen=True)
class ServedAgents:
    """What vLLM's process is told. agents: agent templates by served name. chosen: the parser by which calls of all of
    them are read, where the document says one."""

    agents: Mapping[str, str] = field(default_factory=dict)
    chosen: str | None = None

    @staticmethod
    def of_environment() -> "ServedAgents":
        """As the supervisor has told this process."""
        return ServedAgents(**json.loads(os.environ.get(AGENTS_VARIABLE) or "{}"))

    def environment(self) -> dict[str, str]:
        """How another process is told."""
        return {AGENTS_VARIABLE: json.dumps(asdict(self))} if self.agents or self.chosen else {}

    def reads(self, agent: str) -> bool:
        """Whether calls are read as an agent template has them: a server has one parser."""
        parser = next((PARSERS[one] for one in self.agents.values() if one in PARSERS), None)
        return self.chosen is not None or (parser is not None and PARSERS.get(agent) == parser)


def chosen_parser(document: ServeDocument) -> str | None:
    """The parser that a document names, in its field or in its arguments."""
    return document.tool_parser or value_of(PARSER_FLAG, document.engine_args)


def value_of(flag: str, arguments: Sequence[str]) -> str | None:
    """The value of a flag in a command line, the last one; None where it is not given."""
    found = None
    for index, one in enumerate(arguments):
        name, is_joined, value = one.partition("=")
        if name.replace("_", "-") == flag:
            found = value if is_joined else next(iter(arguments[index + 1 :]), None)
    return found


def agent_obstacles(document: ServeDocument) -> list[str]:
    """Why vLLM cannot serve the agent template that a document asks for."""
    agent = document.agent_template
    if agent is None or agent in PARSERS or chosen_parser(document):
        return []
    return [f"vllm has no parser of what agentTemplate {agent} writes"]


def parser_problems(tool_parser: str | None, reasoning_parser: str | None) -> list[str]:
    """Which parsers of a document vLLM does not have. Imports vLLM where one is named."""
    if not (tool_parser or reasoning_parser):
        return []
    from vllm.reasoning import ReasoningParserManager
    from vllm.tool_parsers import ToolParserManager

    asked = {
        "toolParser": (tool_parser, ToolParserManager.list_registered()),
        "reasoningParser": (reasoning_parser, ReasoningParserManager.list_registered()),
    }
    return [
        f"spec.api.{field}: {name}: vllm has no such parser, but {', '.join(known)}; set one of them, or leave it out"
        for field, (name, known) in asked.items()
        if name and name not in known
    ]
