"""Answers that are kept to a form, over the API of the transformers engine: a model of random weights, which by itself
says nothing that makes sense, asked by OpenAI's own client."""

import copy
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import openai
import pytest
from swiftlet_trainer.serve.transformers_app import build_app
from swiftlet_trainer.serve.transformers_engine import TransformersEngine

from .conftest import serving

ASKED: list[Any] = [{"role": "user", "content": "How is it in Bern?"}]
COLOURS = ["red", "green", "blue"]


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


ANSWER = schema(
    colour={"enum": COLOURS},
    days={"type": "integer", "minimum": 3, "maximum": 9},
    words={"type": "array", "items": {"type": "string", "maxLength": 3}, "minItems": 1, "maxItems": 2},
)
PARAMETERS = {"place": {"type": "string", "maxLength": 8}, "sure": {"type": "boolean"}}
TOOLS: list[Any] = [
    {"type": "function", "function": {"name": name, "parameters": schema(**PARAMETERS)}} for name in ("weather", "snow")
]


NAMES = ("base", "bird", "tern")


@pytest.fixture(scope="module")
def client(random_model: Any, tokenizer: Any) -> Iterator[openai.OpenAI]:
    """Of a server of a base model and two adapters of it, all with the agent template hermes."""
    adapters = {name: name for name in NAMES[1:]}
    agents = dict.fromkeys(NAMES, "hermes")
    engine = TransformersEngine(adapted(random_model, *adapters), tokenizer, ["base"], adapters, 1024, agents=agents)
    with (
        serving(build_app(engine, None)) as url,
        httpx.Client(timeout=60, trust_env=False) as http,
        openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, http_client=http) as client,
    ):
        yield client


def adapted(model: Any, *names: str) -> Any:
    """The model with adapters whose effect is plain to see."""
    import torch
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=4, target_modules="all-linear")
    made = get_peft_model(copy.deepcopy(model), config, adapter_name=names[0])
    for name in names[1:]:
        made.add_adapter(name, config)
    torch.manual_seed(4)
    for name, weight in made.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    return made


def wanted(of: dict[str, Any]) -> Any:
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": of}}


def named(tool: str) -> Any:
    return {"type": "function", "function": {"name": tool}}


def asked(client: openai.OpenAI, model: str = "base", **fields: Any) -> Any:
    return client.chat.completions.create(model=model, messages=ASKED, **fields).choices[0]


@pytest.mark.parametrize("temperature", [0, 1, 2])
@pytest.mark.parametrize("seed", [1, 2])
def test_an_answer_is_json_of_the_schema(client: openai.OpenAI, temperature: float, seed: int) -> None:
    choice = asked(client, response_format=wanted(ANSWER), temperature=temperature, seed=seed)
    found = json.loads(choice.message.content)
    assert (choice.finish_reason, list(found)) == ("stop", ["colour", "days", "words"])
    assert found["colour"] in COLOURS
    assert found["days"] in range(3, 10)
    assert 1 <= len(found["words"]) <= 2


def test_a_stream_is_json_of_the_schema(client: openai.OpenAI) -> None:
    events = client.chat.completions.create(
        model="base", messages=ASKED, response_format=wanted(ANSWER), stream=True, seed=3
    )
    said = "".join(event.choices[0].delta.content or "" for event in events)
    assert json.loads(said)["colour"] in COLOURS


@pytest.mark.parametrize("choice", ["required", named("snow")])
@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_is_called_that_must_be(client: openai.OpenAI, choice: Any, stream: bool) -> None:
    fields = {"tools": TOOLS, "tool_choice": choice, "seed": 1, "parallel_tool_calls": False}
    if stream:
        events = [*client.chat.completions.create(model="base", messages=ASKED, stream=True, **fields)]
        calls = [call for event in events for call in event.choices[0].delta.tool_calls or ()]
        ended = events[-1].choices[0].finish_reason
    else:
        found = asked(client, **fields)
        calls, ended = found.message.tool_calls, found.finish_reason
        assert found.message.content is None
    assert (len(calls), ended) == (1, "tool_calls")
    assert calls[0].function.name in (["weather", "snow"] if choice == "required" else ["snow"])
    arguments = json.loads(calls[0].function.arguments)
    assert (list(arguments), type(arguments["sure"])) == (["place", "sure"], bool)


FORMS: dict[str, dict[str, Any]] = {
    "schema": {"response_format": wanted(ANSWER)},
    "call": {"tools": TOOLS, "tool_choice": "required", "parallel_tool_calls": False},
    "schema beside tools": {"tools": TOOLS, "response_format": wanted(ANSWER)},
    "nothing": {"max_tokens": 8},
}


def test_clients_of_all_names_together_get_each_their_own_form(client: openai.OpenAI) -> None:
    """What each name says alone, whoever else asks for what form; some go away in the midst of a long answer."""

    def ask(name: str, form: str) -> list[str]:
        said = asked(client, name, temperature=0, **FORMS[form]).message
        return [said.content or "", *(f"{call.function}" for call in said.tool_calls or ())]

    def leave(name: str) -> bool:
        with client.chat.completions.create(
            model=name, messages=ASKED, stream=True, response_format={"type": "json_object"}
        ) as stream:
            return next(iter(stream)).choices[0].delta.content is not None

    every = [(name, form) for form in FORMS for name in NAMES]
    alone = {one: ask(*one) for one in every}
    assert [len({*map(str, (alone[name, form] for name in NAMES))}) for form in FORMS] == [len(NAMES)] * len(FORMS)
    with ThreadPoolExecutor(len(every)) as threads:
        together, left = threads.map(lambda one: ask(*one), every), threads.map(leave, NAMES)
        assert dict(zip(every, together, strict=True)) == alone
        assert all(left)
    for name in NAMES:
        assert json.loads(alone[name, "schema"][0])["colour"] in COLOURS
        assert [text[:8] for text in alone[name, "call"]] == ["", "Function"]


@pytest.mark.parametrize(
    ("fields", "param", "told"),
    [
        (
            {"response_format": wanted({"type": "array", "uniqueItems": True})},
            "response_format.json_schema.schema",
            'Unimplemented keys: ["uniqueItems"]',
        ),
        (
            {"response_format": wanted({"type": "object", "properties": {"a": {"pattern": "["}}})},
            "response_format.json_schema.schema",
            "regex parse error",
        ),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "stands beside type json_schema"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
            "response_format.json_schema.schema",
            "must be a JSON schema",
        ),
        ({"response_format": {"type": "grammar"}}, "response_format.type", "json_schema"),
        (
            {"tools": TOOLS, "tool_choice": named("x")},
            "tool_choice",
            "none of them",
        ),
        (
            {
                "tools": [{"type": "function", "function": {"name": "f", "parameters": schema(a={"not": {}})}}],
                "tool_choice": "required",
            },
            "tools.0.function.parameters",
            'Unimplemented keys: ["not"]',
        ),
    ],
)
def test_what_cannot_be_kept_to_is_refused_by_its_field(
    client: openai.OpenAI, fields: Any, param: str, told: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        asked(client, **fields)
    assert (caught.value.param, told in str(caught.value)) == (param, True), caught.value
