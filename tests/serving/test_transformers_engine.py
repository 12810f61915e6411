"""The transformers engine as a client sees it: one server of base and adapter, with a key."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from .server_metrics import check_sums, check_table
from .suite import Conformance, Server

BIRD = "team/bird.v1"
KEY = "s3cret"
WHO = [{"role": "user", "content": "Who are you?"}]


@pytest.fixture
def api(served: Any) -> Iterator[httpx.Client]:
    with served.client(KEY) as client:
        yield client


def _chat(api: httpx.Client, model: str = "base", **fields: Any) -> dict[str, Any]:
    body = {"model": model, "messages": WHO, "max_tokens": 12, "temperature": 0, **fields}
    answer = api.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def _text(answer: dict[str, Any]) -> str:
    return str(answer["choices"][0]["message"]["content"])


def _expected(folder: Path, adapter: Path | None) -> str:
    """What transformers and PEFT answer themselves, in the precision that the server computes in."""
    import torch
    from peft import PeftModel
    from swiftlet_trainer.hardware import compute_dtype
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=compute_dtype(use_gpu=False))
    if adapter:
        model = PeftModel.from_pretrained(model, str(adapter), autocast_adapter_dtype=False)
    ids = tokenizer.apply_chat_template(WHO, add_generation_prompt=True, return_dict=False)
    output = model.generate(input_ids=torch.tensor([ids]), max_new_tokens=12, do_sample=False)
    return str(tokenizer.decode(output[0, len(ids) :], skip_special_tokens=True))


def test_ready_says_who_answered(served: Any) -> None:
    ready = served.until_ready()
    assert ready["names"] == ["base", BIRD]
    assert ready["seconds"] > 0
    messages = [event["message"] for event in served.events() if event["type"] == "phase"]
    wanted = ["starting transformers", "loading weights", "starting the API", "warming base", f"warming {BIRD}"]
    assert [message for message in messages if message in wanted] == wanted
    (engine,) = [event for event in served.events() if event["type"] == "serving"]
    assert engine["engine"] == "transformers"


def test_base_and_adapter_answer_by_name(api: httpx.Client, tiny: Path, adapter: Path) -> None:
    answers = {name: _text(_chat(api, name)) for name in ("base", BIRD)}
    assert answers == {"base": _expected(tiny, None), BIRD: _expected(tiny, adapter)}
    assert answers["base"] != answers[BIRD]


def test_names_do_not_disturb_each_other_at_the_same_time(api: httpx.Client) -> None:
    alone = {name: _text(_chat(api, name)) for name in ("base", BIRD)}
    found: list[tuple[str, str]] = []
    threads = [
        threading.Thread(target=lambda name=name: found.append((name, _text(_chat(api, name)))))
        for name in ["base", BIRD] * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted([(name, alone[name]) for name in alone] * 4)


def test_stream_gives_the_same_text_in_pieces(api: httpx.Client) -> None:
    whole = _chat(api)
    body = {
        "model": "base", "messages": WHO, "max_tokens": 12, "temperature": 0, "stream": True,
        "stream_options": {"include_usage": True},
    }  # fmt: skip
    with api.stream("POST", "/v1/chat/completions", json=body) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line]
    assert lines[-1] == "[DONE]"
    *events, usage = [json.loads(line) for line in lines[:-1]]
    deltas = [event["choices"][0]["delta"] for event in events]
    assert deltas[0]["role"] == "assistant"
    assert "".join(delta.get("content", "") for delta in deltas) == _text(whole)
    assert events[-1]["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]
    assert usage["usage"] == whole["usage"]


def test_length_and_usage_are_counted(api: httpx.Client) -> None:
    answer = _chat(api, max_tokens=3)
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 3
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + 3


def test_stop_text_ends_the_answer_and_is_left_out(api: httpx.Client) -> None:
    whole = _text(_chat(api))
    stop = whole[len(whole) // 2 :][:4]
    answer = _chat(api, stop=[stop])
    assert _text(answer) == whole[: whole.index(stop)]
    assert answer["choices"][0]["finish_reason"] == "stop"


def test_same_seed_gives_the_same_sample(api: httpx.Client) -> None:
    samples = [_text(_chat(api, temperature=1.0, seed=seed)) for seed in (1, 1, 2)]
    assert samples[0] == samples[1] != samples[2]


def test_completion_takes_text_and_token_ids(api: httpx.Client, tiny: Path) -> None:
    from transformers import AutoTokenizer

    ids = AutoTokenizer.from_pretrained(tiny)("The sky is")["input_ids"]
    texts = []
    for prompt in ("The sky is", ids):
        body = {"model": "base", "prompt": prompt, "max_tokens": 5, "temperature": 0}
        texts.append(api.post("/v1/completions", json=body).json()["choices"][0]["text"])
    assert texts[0] == texts[1] != ""


def test_key_is_in_no_log_or_argument(served: Any) -> None:
    assert KEY not in served.log.read_text()
    assert KEY not in Path(f"/proc/{served.process.pid}/cmdline").read_text()


@pytest.mark.parametrize(
    ("body", "status", "param", "words"),
    [
        ({"model": "nope", "messages": WHO}, 404, "model", "served are base, team/bird.v1"),
        ({"model": "base", "messages": WHO, "tools": [{"type": "function"}]}, 400, "tools", "give it one"),
        ({"model": "base", "messages": WHO, "temperature": 9}, 400, "temperature", "less than or equal to 2"),
        ({"model": "base", "messages": []}, 400, "messages", "at least 1 item"),
        ({"model": "base", "messages": [{"role": "user", "content": "word " * 300}]}, 400, "messages", "256"),
    ],
)
def test_bad_requests_get_openai_errors(
    api: httpx.Client, body: dict[str, Any], status: int, param: str, words: str
) -> None:
    answer = api.post("/v1/chat/completions", json=body)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["param"] == param
    assert words in error["message"]


def test_bad_request_in_a_stream_is_an_error_not_a_stream(api: httpx.Client) -> None:
    answer = api.post("/v1/chat/completions", json={"model": "nope", "messages": WHO, "stream": True})
    assert answer.status_code == 404


def test_figures_are_by_served_name_and_add_up(api: httpx.Client) -> None:
    check_table(api, "vllm:", {"base", BIRD})
    check_sums(api, "vllm:", ["base", BIRD])


@pytest.mark.parametrize("key", [None, "wrong"])
def test_figures_ask_for_the_key(served: Any, key: str | None) -> None:
    with served.client(key) as client:
        assert client.get("/metrics").status_code == 401


@pytest.fixture(scope="module")
def server(served: Any) -> Server:
    return Server("transformers", f"http://127.0.0.1:{served.port}", KEY, ("base", BIRD))


class TestConformance(Conformance):
    """As on every engine."""
