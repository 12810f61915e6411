"""Adapters that make vectors and scores, served by the verb as a process; the page's commands are asked of them."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from swiftlet.wire.messages import EXIT_INVALID

from .conftest import ServingPod

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "serve-embeddings-and-scores.md"


def commands(host: str) -> list[tuple[str, dict[str, Any]]]:
    """Path and body of each command of the page that asks `host`."""
    text = PAGE.read_text(encoding="utf-8").replace("\\\n", "")
    found = [shlex.split(line) for line in re.findall(r"^ {4}(curl .*)$", text, re.MULTILINE)]
    return [
        (url.removeprefix(f"http://{host}:8000"), json.loads(body))
        for _, url, *_, body in found
        if url.startswith(f"http://{host}:")
    ]


def adapter_of(kind: str, model: Path, folder: Path) -> Path:
    """A random LoRA adapter of a model that makes vectors, or gives two classes."""
    import torch
    from peft import LoraConfig, get_peft_model
    from swiftlet_trainer.models.embedder import Embedder, write_embedder
    from transformers import AutoModel, AutoModelForSequenceClassification

    torch.manual_seed(3)
    if kind == "pool":
        base, task = AutoModel.from_pretrained(model), None
    else:
        base, task = AutoModelForSequenceClassification.from_pretrained(model, num_labels=2), "SEQ_CLS"
        base.config.pad_token_id = 0
    adapted = get_peft_model(base, LoraConfig(r=4, target_modules="all-linear", task_type=task))
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    adapted.save_pretrained(folder)
    if kind == "pool":
        write_embedder(folder, Embedder("mean"), hidden_size=64, max_length=256)
    return folder


Serve = Callable[..., ServingPod]


@pytest.fixture
def serve(pod: ServingPod, tiny: Path, tmp_path: Path) -> Serve:
    def start(kind: str, name: str, **changes: Any) -> ServingPod:
        folder = adapter_of(kind, tiny, tmp_path / "made")
        adapters = [{"name": name, "path": pod.mount(f"/swiftlet/artifacts/{name}", folder)}]
        return pod.start(adapters=adapters, **changes)

    return start


def test_vectors_of_base_and_adapter(serve: Serve) -> None:
    pod = serve("pool", "shop")
    assert pod.until_ready()["names"] == ["base", "shop"]
    (serving,) = [event for event in pod.events() if event["type"] == "serving"]
    assert (serving["engine"], serving["task"]) == ("transformers", "embed")
    with pod.client() as client:
        found = [_posted(client, path, body) for path, body in commands("shop")]
        assert [len(one["embedding"]) for one in found[0]["data"]] == [64, 64]
        assert len(found[1]["results"]) == 1
        vectors = [_posted(client, "/v1/embeddings", {"model": name, "input": "a"}) for name in ("base", "shop")]
        assert vectors[0]["data"] != vectors[1]["data"]


def test_scores_of_an_adapter_alone(serve: Serve) -> None:
    pod = serve("score", "judge", modelNames=[], engine="auto")
    assert pod.until_ready()["names"] == ["judge"]
    (serving,) = [event for event in pod.events() if event["type"] == "serving"]
    assert (serving["engine"], serving["task"]) == ("transformers", "classify")
    assert serving["reason"].startswith("adapter judge: vllm has none that gives texts scores")
    with pod.client() as client:
        asked = commands("judge")
        found = [_posted(client, path, body) for path, body in asked]
        assert [len(one["data"]) for one in found] == [1, 2]
        assert client.post("/v1/chat/completions", json=asked[0][1]).status_code == 404


def test_a_base_without_scores_is_no_name(serve: Serve) -> None:
    pod = serve("score", "judge")
    assert pod.wait() == EXIT_INVALID
    assert "base: the model gives texts no scores without an adapter" in pod.failure()["message"]


def _posted(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content
