"""Answers that are kept to a form, over the API of the transformers engine: a model of random weights, which by itself
says nothing that makes sense, asked by OpenAI's own client."""

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


@pytest.fixture(scope="module")
def client(random_model: Any, tokenizer: Any) -> Iterator[openai.OpenAI]:
    """Of a server whose base model has the agent template hermes."""
    engine = TransformersEngine(random_model, tokenizer, ["base"], {}, 1024, agents={"base": "hermes"})
    with (
        serving(build_app(engine, None)) as url,
        httpx.Client(timeout=60, trust_env=False) as http,
        openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, http_client=http) as client,
    ):
        yield client


def wanted(of: dict[str, Any]) -> Any:
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": of}}


def named(tool: str) -> Any:
    return {"type": "function", "function": {"name": tool}}


def asked(client: openai.OpenAI, **fields: Any) -> Any:
    return client.chat.completions.create(model="base", messages=ASKED, **fields).choices[0]


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


def test_clients_together_get_each_their_own_form_and_one_that_leaves_harms_none(client: openai.OpenAI) -> None:
    """Some ask for a schema, some for a call, some for nothing; one goes away in the midst of a long answer."""

    def ask(number: int) -> bool:
        if number % 4 == 0:
            return json.loads(asked(client, response_format=wanted(schema(n={"const": number}))).message.content) == {
                "n": number
            }
        if number % 4 == 1:
            found = asked(client, tools=TOOLS, tool_choice="required", parallel_tool_calls=False, seed=number)
            return bool(found.message.tool_calls)
        if number % 4 == 2:
            return asked(client, max_tokens=5, seed=7).message.content == free
        with client.chat.completions.create(
            model="base", messages=ASKED, stream=True, response_format={"type": "json_object"}
        ) as stream:
            return next(iter(stream)).choices[0].delta.content is not None

    free = asked(client, max_tokens=5, seed=7).message.content
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(8)))


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
