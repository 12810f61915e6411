"""Requests for vectors that come together, leave, wait and fail: a real server of a random model."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from swiftlet_trainer.serve.transformers_app import build_app
from swiftlet_trainer.serve.transformers_loading import load_engine

from .conftest import LONGEST, posted, serving, serving_model

pytestmark = pytest.mark.usefixtures("fp32")

TEXTS = ["Where does a tern sleep?", "On the wing.", "A robin sings in the hedge, early in the morning.", "a"]


def test_several_clients_share_passes_and_get_what_they_get_alone(embedding_model: Path) -> None:
    with serving_model(embedding_model) as client:
        alone = [posted(client, "/v1/embeddings", input=text)["data"][0]["embedding"] for text in TEXTS]
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda n: posted(client, "/v1/embeddings", input=TEXTS[n % 4]), range(32)))
    for number, answer in enumerate(found):
        assert answer["data"][0]["embedding"] == pytest.approx(alone[number % 4], abs=1e-5)


def test_figures_are_those_of_requests(embedding_model: Path) -> None:
    with serving_model(embedding_model) as client:
        tokens = sum(posted(client, "/v1/embeddings", input=text)["usage"]["prompt_tokens"] for text in TEXTS)
        page = client.get("/metrics").text
    assert 'vllm:request_success_total{finished_reason="stop",model_name="base"} 4.0' in page
    assert 'vllm:num_requests_running{model_name="base"} 0.0' in page
    assert f'vllm:prompt_tokens_total{{model_name="base"}} {tokens}.0' in page


def test_who_leaves_in_the_middle_takes_nobody_along(embedding_model: Path) -> None:
    engine = load_engine(embedding_model, ["base"], {}, LONGEST, use_gpu=False)
    entered, go_on, batches = threading.Event(), threading.Event(), []

    def enter(_: Any, given: Any, kwargs: Any) -> None:
        batches.append(kwargs["input_ids"].shape[0])
        entered.set()
        go_on.wait(30)

    engine._model.register_forward_pre_hook(enter, with_kwargs=True)
    with serving(build_app(engine, None)) as url, httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        with ThreadPoolExecutor(3) as pool:
            first = pool.submit(posted, client, "/v1/embeddings", input="a")
            assert entered.wait(30)
            stays = pool.submit(posted, client, "/v1/embeddings", input=["b", "c"])
            leaves = pool.submit(client.post, "/v1/embeddings", json={"model": "base", "input": TEXTS}, timeout=0.5)
            with pytest.raises(httpx.ReadTimeout):
                leaves.result()
            go_on.set()
            assert len(first.result()["data"]) == 1
            assert len(stays.result()["data"]) == 2
        page = client.get("/metrics").text
    assert sum(batches) == 3, "what nobody waits for is not computed"
    assert 'vllm:request_success_total{finished_reason="abort",model_name="base"} 1.0' in page


def test_a_text_whose_vector_is_no_number_fails_alone(embedding_model: Path) -> None:
    engine = load_engine(embedding_model, ["base"], {}, LONGEST, use_gpu=False)
    engine._model.embed_tokens.weight.data[7] = float("nan")
    with serving(build_app(engine, None)) as url, httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        with ThreadPoolExecutor(8) as pool:
            asked = [
                pool.submit(client.post, "/v1/embeddings", json={"model": "base", "input": [[n]]}) for n in (7, 8) * 8
            ]
            codes = [one.result().status_code for one in asked]
        assert codes == [500, 200] * 8
        told = client.post("/v1/embeddings", json={"model": "base", "input": [7]}).json()["error"]["message"]
    assert "NotFiniteError" in told


def test_who_waits_too_long_is_told_to_come_again(embedding_model: Path) -> None:
    engine = load_engine(embedding_model, ["base"], {}, LONGEST, use_gpu=False)
    entered, go_on = threading.Event(), threading.Event()

    def enter(*_: Any) -> None:
        entered.set()
        go_on.wait(30)

    engine._model.register_forward_pre_hook(enter)
    with (
        serving(build_app(engine, None, 0.2)) as url,
        httpx.Client(base_url=url, timeout=30, trust_env=False) as client,
        ThreadPoolExecutor(2) as pool,
    ):
        first = pool.submit(posted, client, "/v1/embeddings", input="a")
        assert entered.wait(30)
        second = client.post("/v1/embeddings", json={"model": "base", "input": "b"})
        go_on.set()
        first.result()
    assert (second.status_code, second.headers["retry-after"]) == (503, "5")
