"""Figures by name out of vLLM's own processing of what an engine says, beside those that vLLM makes of the same."""

import json
import subprocess
import sys
from typing import Any

import pytest

PROCESS = """
import json, time
from prometheus_client import REGISTRY
from swiftlet_trainer.serve.request_metrics import Outcome
from swiftlet_trainer.serve.vllm_metrics import count_by_name
from vllm.lora.request import LoRARequest
from vllm.sampling_params import SamplingParams
from vllm.v1.engine import FINISH_REASON_STRINGS, EngineCoreEvent, EngineCoreEventType, EngineCoreOutput
from vllm.v1.engine import EngineCoreRequest, FinishReason, async_llm
from vllm.v1.metrics.stats import IterationStats, PrefillStats

count_by_name(["base", "bird"])
assert tuple(Outcome) == FINISH_REASON_STRINGS
processor, total = async_llm.OutputProcessor(None, log_stats=True), IterationStats()
events = [EngineCoreEvent(EngineCoreEventType.QUEUED, 5.0), EngineCoreEvent(EngineCoreEventType.SCHEDULED, 7.5)]

def add(name, adapter=None):
    lora = LoRARequest(adapter, 1, "/x") if adapter else None
    sampling = SamplingParams(max_tokens=9, detokenize=False)
    fields = (name, [1, 2, 3], None, sampling, None, time.time(), lora, None, None)
    processor.add_request(EngineCoreRequest(*fields, external_req_id=name), None)

def step(at, *said):
    outputs = [
        EngineCoreOutput(name, tokens, finish_reason=end, events=events if first else None,
                         prefill_stats=PrefillStats(num_prompt_tokens=3) if first else None)
        for name, tokens, first, end in said
    ]
    processor.process_outputs(outputs, at, total)

def told(label):
    samples = {
        ".".join([sample.name.removeprefix("swiftlet_"), *sample.labels.values()]): sample.value
        for family in REGISTRY.collect() if family.name.startswith("swiftlet_") for sample in family.samples
        if sample.value and "le" not in sample.labels and not sample.name.endswith("_created")
    }
    print("TOLD", json.dumps([label, samples]))

told("nothing")
for name, adapter in (("a", None), ("b", "bird"), ("c", "bird"), ("d", "not/named")):
    add(name, adapter)
told("waiting")
step(10.0, ("a", [1], True, None), ("b", [1], True, None), ("c", [1, 2], True, None))
told("running")
step(10.5, ("a", [2, 3], False, FinishReason.LENGTH), ("b", [2], False, None))
processor.abort_requests(["c", "d", "never/seen"], internal=False)
step(11.0, ("b", [3], False, FinishReason.STOP), ("c", [3], False, FinishReason.ABORT))
told("over")
reasons = [str(one.finish_reason) for one in total.finished_requests]
print("TOLD", json.dumps(["vllm", {
    "prompt_tokens": total.num_prompt_tokens, "generation_tokens": total.num_generation_tokens,
    "inter_token": total.inter_token_latencies_iter, "queue": [one.queued_time for one in total.finished_requests],
    "reasons": reasons,
}]))
"""


@pytest.fixture(scope="module")
def told() -> dict[str, dict[str, Any]]:
    """What /metrics would show, at each moment of a few requests."""
    environment = {"VLLM_TARGET_DEVICE": "cpu", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", PROCESS], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(line[5:]) for line in done.stdout.splitlines() if line.startswith("TOLD "))


def test_who_waits_and_who_is_computed_is_told_by_name(told: dict[str, dict[str, Any]]) -> None:
    assert told["nothing"] == {}
    # What is no named adapter counts as the base's: no other name is ever a label.
    assert told["waiting"] == {"num_requests_waiting.base": 2, "num_requests_waiting.bird": 2}
    stages = {name: value for name, value in told["running"].items() if name.startswith("num_requests")}
    assert stages == {"num_requests_running.base": 1, "num_requests_waiting.base": 1, "num_requests_running.bird": 2}


def test_figures_by_name_add_up_to_vllms(told: dict[str, dict[str, Any]]) -> None:
    over, vllm = told["over"], told["vllm"]
    counted = {name: value for name, value in over.items() if "_sum" not in name}
    assert counted == {
        "prompt_tokens_total.base": 3, "prompt_tokens_total.bird": 6,
        "generation_tokens_total.base": 3, "generation_tokens_total.bird": 5,
        "request_success_total.base.length": 1, "request_success_total.base.abort": 1,
        "request_success_total.bird.stop": 1, "request_success_total.bird.abort": 1,
        "time_to_first_token_seconds_count.base": 1, "time_to_first_token_seconds_count.bird": 2,
        "inter_token_latency_seconds_count.base": 1, "inter_token_latency_seconds_count.bird": 2,
        "e2e_request_latency_seconds_count.base": 1, "e2e_request_latency_seconds_count.bird": 1,
        "request_queue_time_seconds_count.base": 1, "request_queue_time_seconds_count.bird": 1,
    }  # fmt: skip
    assert (vllm["prompt_tokens"], vllm["generation_tokens"]) == (9, 8)
    assert sum(over[f"inter_token_latency_seconds_sum.{name}"] for name in ("base", "bird")) == sum(vllm["inter_token"])
    assert [over[f"request_queue_time_seconds_sum.{name}"] for name in ("base", "bird")] == vllm["queue"] == [2.5, 2.5]
    assert vllm["reasons"] == ["length", "stop"], "vLLM leaves out who left"
