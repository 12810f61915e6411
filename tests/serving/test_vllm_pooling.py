"""Real vLLM with models that make vectors and scores: what it gives is what evaluation computes."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch

from .conftest import ServingPod, _pod
from .test_pooling import adapter_of

TEXTS = ["Where does a tern sleep?", "On the wing.", "A robin sings in the hedge, early in the morning."]


def config(tokenizer: Any) -> Any:
    """Of a random Llama whose heads have a size that vLLM has kernels for."""
    from transformers import LlamaConfig

    sizes = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 2}
    return LlamaConfig(vocab_size=len(tokenizer), initializer_range=0.1, eos_token_id=2, pad_token_id=2, **sizes)


@pytest.fixture(scope="module")
def tokenizer(smollm2: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(smollm2)


Serve = Callable[..., httpx.Client]


@pytest.fixture
def serve(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Serve]:
    """A client of vLLM with a model in fp32, which rounds as evaluation does here."""
    for pod in _pod(tmp_path / "pod", free_port):

        def start(model: Path, pod: ServingPod = pod, **adapters: Path) -> httpx.Client:
            path = pod.mount("/swiftlet/models/made", model)
            placed = [
                {"name": name, "path": pod.mount(f"/swiftlet/artifacts/{name}", one)} for name, one in adapters.items()
            ]
            made = {"model": {"uri": "hf://tiny/made", "path": path}, "adapters": placed}
            pod.start(engine="vllm", engineArgs=["--dtype", "float32"], **made)
            pod.until_ready()
            return pod.client()

        (tmp_path / "pod").mkdir(exist_ok=True)
        yield start


def test_vectors_of_base_and_adapter_are_those_of_evaluation(serve: Serve, tokenizer: Any, tmp_path: Path) -> None:
    """A base that talks, and an adapter that was trained without its head."""
    from peft import PeftModel
    from swiftlet_trainer.evaluate.vectors import text_vectors
    from transformers import LlamaForCausalLM

    torch.manual_seed(1)
    folder, base = tmp_path / "model", LlamaForCausalLM(config(tokenizer)).eval()
    base.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    adapter = adapter_of("pool", folder, tmp_path / "adapter")
    ids = [tokenizer(text)["input_ids"] for text in TEXTS]
    expected = {"base": text_vectors(base.model, ids, "mean", 2, 1)}
    expected["shop"] = text_vectors(PeftModel.from_pretrained(base.model, adapter).eval(), ids, "mean", 2, 1)
    assert not torch.allclose(expected["shop"], expected["base"], atol=0.1)
    with serve(folder, shop=adapter) as client, ThreadPoolExecutor(4) as pool:
        asked = ["base", "shop"] * 4
        answers = pool.map(lambda name: _posted(client, "/v1/embeddings", model=name, input=TEXTS)["data"], asked)
        for name, found in zip(asked, answers, strict=True):
            vectors = torch.tensor([one["embedding"] for one in found])
            assert torch.allclose(vectors, expected[name], atol=1e-3), name
        ranked = _posted(client, "/rerank", model="shop", query=TEXTS[0], documents=TEXTS[1:])["results"]
        cosines = (expected["shop"][1:] @ expected["shop"][0]).tolist()
        assert [one["relevance_score"] for one in ranked] == pytest.approx(sorted(cosines)[::-1], abs=1e-3)
        refused = client.post("/v1/embeddings", json={"model": "base", "input": [999_999]})
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "input")
        page = client.get("/metrics").text.splitlines()
    counted = {name: float(line.split()[-1]) for name in expected for line in page if _counts_prompts(line, name)}
    # Beside what the server was warmed with.
    assert counted["base"] > 4 * sum(map(len, ids))
    assert counted["shop"] > 5 * sum(map(len, ids))


def _counts_prompts(line: str, name: str) -> bool:
    return line.startswith("swiftlet_prompt_tokens_total") and f'"{name}"' in line


def test_scores_are_those_of_evaluation(serve: Serve, tokenizer: Any, tmp_path: Path) -> None:
    from swiftlet_trainer.data.examples import Example
    from swiftlet_trainer.evaluate.classes import scored_encoder
    from swiftlet_trainer.evaluate.scores import text_scores
    from swiftlet_trainer.models.reranker import PairPrompt
    from swiftlet_trainer.models.scores import RELEVANCE
    from transformers import LlamaForSequenceClassification

    torch.manual_seed(1)
    made = config(tokenizer)
    made.id2label, made.label2id, made.problem_type = {0: "relevance"}, {"relevance": 0}, "regression"
    folder, model = tmp_path / "model", LlamaForSequenceClassification(made).eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    encode = scored_encoder(tokenizer, RELEVANCE)
    pairs = [PairPrompt().text(TEXTS[0], text) for text in TEXTS[1:]]
    scores = [one for (one,) in text_scores(model, [encode(Example([], text)) for text in pairs], 2, 1)]
    with serve(folder) as client:
        found = [one["score"] for one in _posted(client, "/score", text_1=TEXTS[0], text_2=TEXTS[1:])["data"]]
        classified = _posted(client, "/classify", input=pairs)["data"]
    assert found == pytest.approx(scores, abs=1e-4)
    assert [one["probs"] for one in classified] == [pytest.approx([one], abs=1e-4) for one in scores]
    assert {one["label"] for one in classified} == {"relevance"}


def _posted(client: httpx.Client, path: str, model: str = "base", **body: Any) -> dict[str, Any]:
    answer = client.post(path, json={"model": model, **body})
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content
