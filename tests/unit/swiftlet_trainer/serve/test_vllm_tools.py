"""By which parser vLLM reads calls, and what it is started with for that."""

import json
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment
from swiftlet_trainer.serve.vllm_arguments import vllm_arguments, vllm_env
from swiftlet_trainer.serve.vllm_tools import (
    AGENTS_VARIABLE,
    WRITTEN,
    ServedAgents,
    chat_template_of,
    chosen_parser,
    parser_of,
    tool_arguments,
)
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES

TEMPLATE = "{% for tool in tools or [] %}[{{ tool }}]{% endfor %}{{ messages }}"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model with a chat template."""
    (tmp_path / "chat_template.jinja").write_text(TEMPLATE)
    return tmp_path


def test_a_parser_is_chosen_or_that_of_an_agent_template(model: Path) -> None:
    assert parser_of(model, {"bird": "react_en", "tern": "qwen3_5"}, None) == "qwen3_coder"
    assert parser_of(model, {"tern": "qwen3_5"}, "mistral") == "mistral"


@pytest.mark.parametrize(
    ("published", "model_type", "parser"),
    [("qwen3_5_think", "x", "qwen3_coder"), ("gptoss", "gpt_oss", "openai")],
)
def test_else_that_of_what_the_models_own_template_writes(
    tmp_path: Path, chat_template: Any, published: str, model_type: str, parser: str
) -> None:
    chat_template(published).save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    assert parser_of(tmp_path, {}, None) == parser


def test_a_model_that_knows_no_tools_has_none(smollm2: Path, tmp_path: Path) -> None:
    assert parser_of(smollm2, {}, None) is None
    assert tool_arguments(smollm2, [], {}, None) == []
    assert (chat_template_of(tmp_path), parser_of(tmp_path, {}, None)) == ("", None)


@pytest.mark.parametrize("held", ["text", [{"name": "a", "template": "x"}, {"name": "default", "template": "text"}]])
def test_chat_templates_are_found_in_the_tokenizers_configuration(tmp_path: Path, held: Any) -> None:
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": held}))
    assert chat_template_of(tmp_path) == "text"


def test_the_chat_template_leaves_tools_out_that_are_written_already(model: Path) -> None:
    arguments = tool_arguments(model, ["--model", str(model)], {"bird": "hermes"}, None)
    assert arguments[:4] == ["--enable-auto-tool-choice", "--tool-call-parser", "hermes", "--chat-template"]
    template = Environment(autoescape=False).from_string(arguments[4])  # noqa: S701  (of texts, as models have them)
    assert template.render(messages="hi", tools=["t"]) == "[t]hi"
    assert template.render(messages="hi", tools=["t"], **{WRITTEN: True}) == "hi"


@pytest.mark.parametrize("given", [["--tool-call-parser", "xlam"], ["--tool_call_parser=xlam"]])
def test_a_parser_among_the_arguments_is_the_one(document: Any, model: Path, given: list[str]) -> None:
    chosen = chosen_parser(document(engineArgs=given))
    assert chosen == "xlam"
    assert tool_arguments(model, given, {}, chosen) == ["--enable-auto-tool-choice"]


def test_vllms_process_is_told_of_agents_and_parsers(document: Any, pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = pod / "swiftlet/models/tiny"
    assert AGENTS_VARIABLE not in vllm_env(document(), model, threads=1)
    asked = document(agentTemplate="hermes", toolParser="xlam", reasoningParser="qwen3")
    monkeypatch.setenv(AGENTS_VARIABLE, vllm_env(asked, model, threads=1)[AGENTS_VARIABLE])
    assert ServedAgents.of_environment() == ServedAgents({"base": "hermes"}, "xlam")
    arguments = vllm_arguments(asked, model, "h")
    assert arguments[arguments.index("--reasoning-parser") + 1] == "qwen3"


def test_one_parser_reads_the_templates_that_it_is_for() -> None:
    served = ServedAgents({"bird": "react_en", "tern": "hermes", "robin": "youtu", "gull": "qwen3_5"})
    assert {name for name in AGENT_TEMPLATES if served.reads(name)} == {"hermes", "youtu"}
    assert ServedAgents({"bird": "react_en"}, "xlam").reads("react_en")
    assert not ServedAgents({"bird": "react_en"}).reads("react_en")
