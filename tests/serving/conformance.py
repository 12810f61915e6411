"""Requests that every engine answers alike, and those that only vLLM answers: one table, asked by OpenAI's own client.

`check(client, model, case)` asks one, streamed and not. `client` is of `clients(url, key)`; `cases(engine)` is what to
expect of an engine. docs/serving.md tells the differences.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import openai

HI = [{"role": "user", "content": "Hi"}]
ASSISTANT = {
    "role": "assistant",
    "content": "Hello",
    "refusal": None,
    "annotations": None,
    "audio": None,
    "function_call": None,
    "tool_calls": None,
}
"""A turn as clients keep it, with every field of an answer."""


@dataclass(frozen=True)
class Case:
    """fields: of the body beside `model`. status: expected of the answer."""

    fields: Mapping[str, Any]
    status: int = 200


@dataclass(frozen=True)
class Raw:
    """What no client of OpenAI's sends. body: `MODEL` in it stands for the model's name."""

    method: str
    path: str
    body: bytes
    status: int


def _chat(*turns: Mapping[str, Any], **fields: Any) -> Case:
    return Case({"messages": [*turns] or HI, **fields})


def _bad_chat(*turns: Mapping[str, Any], status: int = 400, **fields: Any) -> Case:
    return Case({"messages": [*turns] or HI, **fields}, status)


def _bad_prompt(prompt: Any) -> Case:
    return Case({"prompt": prompt}, 400)


ANSWERED: dict[str, Case] = {
    "one turn": _chat(),
    "system": _chat({"role": "system", "content": "Be brief"}, *HI),
    "developer": _chat({"role": "developer", "content": "Be brief"}, *HI),
    "JSON": _chat(response_format={"type": "json_object"}),
    "a JSON schema": _chat(
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    ),
    "history": _chat(*HI, {"role": "assistant", "content": "Hello"}, *HI),
    "history with every field of an answer": _chat(*HI, ASSISTANT, *HI),
    "history of nothing said": _chat(*HI, {**ASSISTANT, "content": None}, *HI),
    "parts of text": _chat({"role": "user", "content": [{"type": "text", "text": one} for one in ("Hi", "there")]}),
    "empty turn": _chat({"role": "user", "content": ""}),
    "any script": _chat({"role": "user", "content": "你好 🦜 Привет e\u0301 \x00 \u202e"}),
    "user": _chat(user="me"),
    "service_tier": _chat(service_tier="auto"),
    "prompt_cache_key": _chat(prompt_cache_key="k"),
    "verbosity": _chat(verbosity="low"),
    "safety_identifier": _chat(safety_identifier="s"),
    "store": _chat(store=False),
    "n": _chat(n=1),
    "nulls": _chat(temperature=None, top_p=None, seed=None, stop=None, tools=None, response_format=None, user=None),
    "what asks for nothing": _chat(frequency_penalty=0, presence_penalty=0.0, logit_bias={}, logprobs=False),
    "plain text": _chat(response_format={"type": "text"}),
    "max_completion_tokens": _chat(max_completion_tokens=2, max_tokens=None),
    "temperature 0": _chat(temperature=0),
    "temperature near 0": _chat(temperature=1e-320),
    "temperature 2": _chat(temperature=2, top_p=0.1),
    "top_p near 0": _chat(top_p=1e-9),
    "smallest seed": _chat(seed=-(2**63)),
    "largest seed": _chat(seed=2**63 - 1),
    "one stop": _chat(stop="."),
    "as many stops as there may be": _chat(stop=[".", "\n\n", "你", "Hello"]),
    "stops that are empty": _chat(stop=["", "."]),
    "a stop that is empty": _chat(stop=""),
    "tools that are not called": _chat(
        tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}], tool_choice="none"
    ),
    "named turn": _chat({"role": "user", "content": "Hi", "name": "me"}),
    "text": Case({"prompt": "Once upon"}),
    "token ids": Case({"prompt": [1, 2, 3]}),
    "one text in a list": Case({"prompt": ["Once upon"]}),
    "token ids in a list": Case({"prompt": [[1, 2, 3]]}),
}
REFUSED: dict[str, Case] = {
    "unknown model": _bad_chat(model="no/such", status=404),
    "empty prompt": _bad_prompt(""),
    "no token ids": _bad_prompt([]),
    "token id beyond the model": _bad_prompt([10_000_000]),
    "token id beyond 64 bits": _bad_prompt([2**70]),
    "negative token id": _bad_prompt([-5]),
    "token id beyond the model in a list": _bad_prompt([[1, 10_000_000]]),
    "prompt of another type": _bad_prompt({"text": "Hi"}),
    "prompt too long": _bad_prompt("word " * 5000),
    "conversation too long": _bad_chat({"role": "user", "content": "word " * 5000}),
    "seed beyond 64 bits": _bad_chat(seed=2**70),
    "seed below 64 bits": _bad_chat(seed=-(2**70)),
    "temperature below 0": _bad_chat(temperature=-1),
    "temperature of another type": _bad_chat(temperature="hot"),
    "top_p of 0": _bad_chat(top_p=0),
    "top_p above 1": _bad_chat(top_p=1.5),
    "no tokens": _bad_chat(max_tokens=0),
    "less than no tokens": _bad_chat(max_tokens=-1),
    "more tokens than the context": _bad_chat(max_tokens=100_000),
    "more tokens of a completion than the context": Case({"prompt": "Hi", "max_tokens": 100_000}, 400),
    "more stops than there may be": _bad_chat(stop=["a", "b", "c", "d", "e"]),
    "tokens of another type": _bad_chat(max_tokens="many"),
    "stop of another type": _bad_chat(stop=5),
    "stop of several types": _bad_chat(stop=["a", 5]),
    "messages of another type": Case({"messages": "Hi"}, 400),
    "turn of another type": _bad_chat("Hi"),  # type: ignore[arg-type]
    "no turns": Case({"messages": []}, 400),
    "turn without a role": _bad_chat({"content": "Hi"}),
    "turn without content": _bad_chat({"role": "user"}),
    "turn of null": _bad_chat({"role": "user", "content": None}),
    "content of another type": _bad_chat({"role": "user", "content": 5}),
    "part of an unknown type": _bad_chat({"role": "user", "content": [{"type": "smell", "smell": "x"}]}),
}
_CHAT, _TEXT = "/v1/chat/completions", "/v1/completions"
RAW: dict[str, Raw] = {
    "no JSON": Raw("POST", _CHAT, b"{bad", 400),
    "nothing": Raw("POST", _CHAT, b"", 400),
    "no object": Raw("POST", _CHAT, b"[1]", 400),
    "no UTF-8": Raw("POST", _TEXT, b'{"model": "MODEL", "prompt": "\xff"}', 400),
    "no model": Raw("POST", _CHAT, b'{"messages": [{"role": "user", "content": "Hi"}]}', 400),
    "null for a model": Raw("POST", _TEXT, b'{"model": null, "prompt": "Hi"}', 400),
    "no model's name": Raw("POST", _CHAT, b'{"model": 5, "messages": [{"role": "user", "content": "Hi"}]}', 400),
    "lone surrogate": Raw(
        "POST", _CHAT, b'{"model": "MODEL", "messages": [{"role": "user", "content": "\\ud83d"}]}', 400
    ),
    "lone surrogate as a prompt": Raw("POST", _TEXT, b'{"model": "MODEL", "prompt": "a\\udc00"}', 400),
    "temperature that is no number": Raw("POST", _TEXT, b'{"model": "MODEL", "prompt": "a", "temperature": NaN}', 400),
    "infinite top_p": Raw("POST", _TEXT, b'{"model": "MODEL", "prompt": "a", "top_p": Infinity}', 400),
    "deep": Raw("POST", _CHAT, b'{"model": "MODEL", "messages": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400),
    "unknown path": Raw("GET", "/v1/nothing", b"", 404),
    "method that a path does not have": Raw("GET", _CHAT, b"", 405),
}
VLLM_ALONE: dict[str, Case] = {
    "several answers": _chat(n=2),
    "several prompts": Case({"prompt": ["Once upon", "Twice upon"]}),
    "log probabilities": _chat(logprobs=True, top_logprobs=2),
    "log probabilities of a completion": Case({"prompt": "Once", "logprobs": 2}),
    "penalties": _chat(frequency_penalty=0.5, presence_penalty=0.5),
    "logit_bias": _chat(logit_bias={"5": -100}),
    "echo": Case({"prompt": "Once", "echo": True}),
    "top_k and min_p": _chat(top_k=5, min_p=0.1),
    "fields that nobody knows": _chat(nonsense=1),
    "roles that may be the model's own": _chat({"role": "narrator", "content": "It rains"}, *HI),
}
"""What the transformers engine refuses by name."""
CASES: dict[str, Case | Raw] = {
    **ANSWERED,
    **{f"refused: {name}": case for name, case in (REFUSED | RAW).items()},
    **{f"vllm alone: {name}": case for name, case in VLLM_ALONE.items()},
}


def cases(engine: str) -> dict[str, Case | Raw]:
    """Every case by its name, as `engine` answers it."""
    if engine == "vllm":
        return CASES
    return CASES | {f"vllm alone: {name}": replace(case, status=400) for name, case in VLLM_ALONE.items()}


@contextmanager
def clients(url: str, key: str | None) -> Iterator[openai.OpenAI]:
    """A client of the server at `url` that tries once."""
    with (
        httpx.Client(timeout=60, trust_env=False) as http,
        openai.OpenAI(base_url=f"{url}/v1", api_key=key or "none", max_retries=0, http_client=http) as client,
    ):
        yield client


def check(client: openai.OpenAI, model: str, case: Case | Raw) -> None:
    """Ask `model`, and fail unless the answer is as `case` says."""
    if isinstance(case, Raw):
        _check_raw(client, model, case)
        return
    for stream in (False, True):
        fields = {"model": model, "max_tokens": 3, **case.fields, "stream": stream}
        if stream and case.status == httpx.codes.OK:
            fields["stream_options"] = {"include_usage": True, "include_obfuscation": False}
        if case.status == httpx.codes.OK:
            _check_answer(_answer(client, fields), fields)
        else:
            _check_refusal(client, fields, case.status)


def _answer(client: openai.OpenAI, fields: Mapping[str, Any]) -> Any:
    kind = client.chat.completions if "messages" in fields else client.completions
    # In extra_body nothing is looked at or left out by the client.
    named = {name: fields[name] for name in ("model", "messages", "prompt", "stream") if name in fields}
    return kind.create(**named, extra_body=dict(fields))


def _check_answer(answer: Any, fields: Mapping[str, Any]) -> None:
    events = list(answer) if fields["stream"] else [answer]
    choices = [choice for event in events for choice in event.choices]
    ends = [choice.finish_reason for choice in choices if choice.finish_reason]
    assert len(ends) == len({choice.index for choice in choices}) > 0
    assert set(ends) <= {"stop", "length"}
    assert {event.model for event in events} == {fields["model"]}
    usage = events[-1].usage
    assert usage.prompt_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def _check_refusal(client: openai.OpenAI, fields: Mapping[str, Any], status: int) -> None:
    try:
        _answer(client, fields)
    except openai.APIStatusError as error:
        assert error.status_code == status, error
        _check_error(error.body)
    else:
        raise AssertionError(f"answered, expected is {status}")


def _check_raw(client: openai.OpenAI, model: str, case: Raw) -> None:
    url = str(client.base_url).removesuffix("/v1/")
    body = case.body.replace(b"MODEL", json.dumps(model).strip('"').encode())
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {client.api_key}"}
    answer = client._client.request(case.method, url + case.path, content=body, headers=headers)
    assert answer.status_code == case.status, answer.text
    _check_error(answer.json()["error"])


def _check_error(error: Any) -> None:
    assert isinstance(error["message"], str)
    assert error["message"]
    assert isinstance(error["type"], str)
    assert {"param", "code"} <= set(error)
    assert error["code"] is None or isinstance(error["code"], str)
