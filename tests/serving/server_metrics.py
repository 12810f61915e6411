"""What /metrics of every engine holds: one table of figures, and requests after which they add up."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

FIGURES = {
    "num_requests_running": "gauge",
    "num_requests_waiting": "gauge",
    "prompt_tokens": "counter",
    "generation_tokens": "counter",
    "request_success": "counter",
    "time_to_first_token_seconds": "histogram",
    "inter_token_latency_seconds": "histogram",
    "e2e_request_latency_seconds": "histogram",
    "request_queue_time_seconds": "histogram",
}
"""By vLLM's names, behind a prefix."""
Figures = dict[tuple[str, ...], float]


def families(client: httpx.Client) -> dict[str, Any]:
    """What /metrics shows, by name."""
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def check_table(client: httpx.Client, prefix: str, names: set[str]) -> dict[str, list[str]]:
    """Fail unless every figure is there, of its type and for `names` alone. Returns the buckets of the histograms."""
    found, buckets = families(client), {}
    assert {name: found[prefix + name].type for name in FIGURES} == FIGURES
    for name in FIGURES:
        samples = found[prefix + name].samples
        assert {sample.labels["model_name"] for sample in samples} == names
        buckets[name] = sorted({sample.labels["le"] for sample in samples if "le" in sample.labels})
    return buckets


def figures(client: httpx.Client, prefix: str) -> Figures:
    """Samples by (name without prefix, model, why it finished)."""
    labels, found = ("model_name", "finished_reason"), families(client)
    return {
        (sample.name.removeprefix(prefix), *(sample.labels[one] for one in labels if one in sample.labels)): (
            sample.value
        )
        for name in FIGURES
        for sample in found[prefix + name].samples
        if "le" not in sample.labels
    }


def check_sums(client: httpx.Client, prefix: str, names: Sequence[str]) -> None:
    """Ask all of `names` together, streamed and not, and leave one stream: fail unless the figures tell just that."""
    before = _settled(client, prefix)
    asked = [(name, streamed) for name in names for streamed in (False, True)]
    with ThreadPoolExecutor(len(asked)) as pool:
        usages = list(pool.map(lambda one: _usage(client, *one), asked))
    between = _settled(client, prefix)
    for name in names:
        own = [usage for (of, _), usage in zip(asked, usages, strict=True) if of == name]
        prompts, tokens = (sum(one[kind] for one in own) for kind in ("prompt_tokens", "completion_tokens"))
        assert _change(before, between, name) == {
            "prompt_tokens_total": prompts,
            "generation_tokens_total": tokens,
            "request_success_total": len(own),
            "time_to_first_token_seconds_count": len(own),
            "inter_token_latency_seconds_count": tokens - len(own),
            "e2e_request_latency_seconds_count": len(own),
            "request_queue_time_seconds_count": len(own),
        }
    _leave(client, names[-1])
    after = _settled(client, prefix)
    assert not any(_change(between, after, name) for name in names[:-1])
    last = _change(between, after, names[-1])
    assert last["request_success_total"] == 1
    assert (
        after["request_success_total", names[-1], "abort"] == between["request_success_total", names[-1], "abort"] + 1
    )
    assert "e2e_request_latency_seconds_count" not in last
    assert last.get("inter_token_latency_seconds_count", 0) == last["generation_tokens_total"] - 1


def _usage(client: httpx.Client, name: str, streamed: bool) -> dict[str, int]:
    body: dict[str, Any] = {"model": name, "prompt": "Once upon a time", "max_tokens": 6, "temperature": 0}
    if streamed:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    answer = client.post("/v1/completions", json=body)
    assert answer.status_code == 200, answer.text
    if streamed:
        last = [line for line in answer.text.splitlines() if line][-2].removeprefix("data: ")
    usage: dict[str, int] = (json.loads(last) if streamed else answer.json())["usage"]
    return usage


def _leave(client: httpx.Client, name: str) -> None:
    body = {"model": name, "prompt": "Once upon a time", "max_tokens": 200, "temperature": 0, "stream": True}
    with client.stream("POST", "/v1/completions", json=body) as answer:
        next(answer.iter_lines())


def _settled(client: httpx.Client, prefix: str) -> Figures:
    """The figures once nobody is computed or waits, and a client that left is noticed."""
    end = time.monotonic() + 20
    while True:
        found = figures(client, prefix)
        if not any(value for (name, *_), value in found.items() if "num_requests" in name):
            return found
        assert time.monotonic() < end, found
        time.sleep(0.05)


def _change(before: Figures, after: Figures, model: str) -> dict[str, float]:
    """By how much the figures of `model` changed; seconds left out, reasons added up."""
    found: dict[str, float] = {}
    for (name, of, *more), value in after.items():
        if of == model and not name.endswith(("_sum", "_created")):
            found[name] = found.get(name, 0) + value - before[(name, of, *more)]
    return {name: change for name, change in found.items() if change}
