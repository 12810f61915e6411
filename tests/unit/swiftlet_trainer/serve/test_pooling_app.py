"""Vectors and scores of texts as clients get them: real servers of random models."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from swiftlet.api.v1alpha1.tasks.reranker import RerankerTask
from swiftlet_trainer.data.examples import Example, Preference, Relevance
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.evaluate.classes import scored_encoder
from swiftlet_trainer.evaluate.prompts import answer_ids, pair_encoder, relevance_encoder
from swiftlet_trainer.evaluate.scores import text_scores
from swiftlet_trainer.evaluate.vectors import text_vectors
from swiftlet_trainer.models.causal import load_backbone, load_scored
from swiftlet_trainer.models.embedder import Embedder
from swiftlet_trainer.models.reranker import PairPrompt
from swiftlet_trainer.models.scores import RELEVANCE, REWARD, ScoreHead
from swiftlet_trainer.serve.pooling_requests import POOLING

from .conftest import LONGEST, posted, serving_model

TEXTS = ["Where does a tern sleep?", "On the wing.", "A robin sings in the hedge, early in the morning.", "a"]
TURNS = [{"role": "user", "content": "Who are you?"}, {"role": "assistant", "content": "A bird."}]

pytestmark = pytest.mark.usefixtures("fp32")


@pytest.fixture(scope="module")
def vectors(embedding_model: Path) -> Iterator[httpx.Client]:
    with serving_model(embedding_model) as client:
        yield client


@pytest.fixture(scope="module")
def classes(scoring_model: Callable[..., Path]) -> Iterator[httpx.Client]:
    with serving_model(scoring_model("no", "yes", "odd", problem_type="single_label_classification")) as client:
        yield client


@pytest.fixture(scope="module")
def rewards(scoring_model: Callable[..., Path]) -> Iterator[httpx.Client]:
    with serving_model(scoring_model("reward", problem_type="regression")) as client:
        yield client


def _expected(folder: Path, tokenizer: Any, texts: list[str]) -> torch.Tensor:
    """As an EvalRun has them."""
    model = load_backbone(folder, torch.float32).eval()
    encode = relevance_encoder(tokenizer, Embedder("mean"), LONGEST)
    ids = [encode(Relevance(query=text, documents=[], grades=[]))[0] for text in texts]
    return text_vectors(model, ids, "mean", 0, 1)


def test_vectors_are_those_of_evaluation(vectors: httpx.Client, embedding_model: Path, tokenizer: Any) -> None:
    answer = posted(vectors, "/v1/embeddings", input=TEXTS)
    found = torch.tensor([one["embedding"] for one in answer["data"]])
    assert torch.allclose(found, _expected(embedding_model, tokenizer, TEXTS), atol=1e-5)
    assert [(one["index"], one["object"]) for one in answer["data"]] == [(n, "embedding") for n in range(4)]
    tokens = sum(len(tokenizer(text)["input_ids"]) for text in TEXTS)
    assert answer["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens}


def test_a_text_is_given_alone_in_a_list_or_as_ids(vectors: httpx.Client, tokenizer: Any) -> None:
    ids = tokenizer(TEXTS[0])["input_ids"]
    asked = (TEXTS[0], [TEXTS[0]], ids, [ids])
    found = [posted(vectors, "/v1/embeddings", input=one)["data"][0]["embedding"] for one in asked]
    assert all(one == pytest.approx(found[0], abs=1e-6) for one in found)


def test_base64_is_what_openais_client_reads(vectors: httpx.Client) -> None:
    import openai

    plain = posted(vectors, "/v1/embeddings", input=TEXTS[:2])["data"]
    coded = posted(vectors, "/v1/embeddings", input=TEXTS[:2], encoding_format="base64")["data"]
    for one, other in zip(plain, coded, strict=True):
        found = np.frombuffer(base64.b64decode(other["embedding"]), dtype="<f4")
        assert found.tolist() == pytest.approx(one["embedding"], abs=1e-6)
    with openai.OpenAI(base_url=str(vectors.base_url.join("/v1")), api_key="none") as client:
        answer = client.embeddings.create(model="base", input=TEXTS[:2])
    assert answer.data[1].embedding == pytest.approx(plain[1]["embedding"], abs=1e-6)


def test_beginnings_of_vectors_that_were_learnt(vectors: httpx.Client) -> None:
    whole = torch.tensor(posted(vectors, "/v1/embeddings", input="a")["data"][0]["embedding"])
    short = torch.tensor(posted(vectors, "/v1/embeddings", input="a", dimensions=8)["data"][0]["embedding"])
    assert torch.allclose(short, torch.nn.functional.normalize(whole[:8], dim=0), atol=1e-6)
    error = vectors.post("/v1/embeddings", json={"model": "base", "input": "a", "dimensions": 9}).json()["error"]
    assert error["param"] == "dimensions"
    assert "dimensions: 9: known are 8, 16" in error["message"]


def test_documents_are_ranked_by_cosines(vectors: httpx.Client) -> None:
    made = torch.tensor([one["embedding"] for one in posted(vectors, "/v1/embeddings", input=TEXTS)["data"]])
    cosines = (made[1:] @ made[0]).tolist()
    for path in ("/rerank", "/v1/rerank", "/v2/rerank"):
        results = posted(vectors, path, query=TEXTS[0], documents=TEXTS[1:], top_n=2)["results"]
        assert [one["relevance_score"] for one in results] == pytest.approx(sorted(cosines)[:0:-1], abs=1e-5)
        assert [one["document"]["text"] for one in results] == [TEXTS[1 + one["index"]] for one in results]
    bare = posted(vectors, "/rerank", query="a", documents=[{"text": "b"}, "c"], return_documents=False)["results"]
    assert sorted(bare[0]) == ["index", "relevance_score"]
    for body in ({"text_1": TEXTS[0], "text_2": TEXTS[1:]}, {"queries": [TEXTS[0]] * 3, "items": TEXTS[1:]}):
        scores = [one["score"] for one in posted(vectors, "/score", **body)["data"]]
        assert scores == pytest.approx(cosines, abs=1e-5)


def test_pooling_has_what_the_model_makes(vectors: httpx.Client, classes: httpx.Client) -> None:
    made = posted(vectors, "/v1/embeddings", input="a")["data"][0]["embedding"]
    assert posted(vectors, "/pooling", input="a", task="embed")["data"][0]["data"] == pytest.approx(made, abs=1e-6)
    probs = posted(classes, "/classify", input="a")["data"][0]["probs"]
    assert posted(classes, "/pooling", input=["a"])["data"][0]["data"] == pytest.approx(probs, abs=1e-6)


@pytest.mark.parametrize(
    ("problem_type", "activation"),
    [
        ("single_label_classification", lambda scores: scores.softmax(-1)),
        ("multi_label_classification", torch.sigmoid),
        ("regression", lambda scores: scores),
    ],
)
def test_scores_are_those_of_evaluation(
    scoring_model: Callable[..., Path], tokenizer: Any, problem_type: Any, activation: Any
) -> None:
    folder, labels = scoring_model("no", "yes", "odd", problem_type=problem_type), ("no", "yes", "odd")
    encode = scored_encoder(tokenizer, ScoreHead(labels, problem_type))
    model = load_scored(folder, torch.float32, labels, problem_type).eval()
    scores = torch.tensor(text_scores(model, [encode(Example([], text)) for text in TEXTS], 0, 1))
    with serving_model(folder) as client:
        data = posted(client, "/classify", input=TEXTS)["data"]
        assert torch.allclose(torch.tensor([one["probs"] for one in data]), activation(scores), atol=1e-5)
        assert [one["label"] for one in data] == [labels[index] for index in scores.argmax(-1).tolist()]
        assert {one["num_classes"] for one in data} == {3}
        plain = posted(client, "/classify", input=TEXTS, use_activation=False)["data"]
        assert torch.allclose(torch.tensor([one["probs"] for one in plain]), scores, atol=1e-5)


def test_a_conversation_has_the_reward_of_evaluation(
    rewards: httpx.Client, scoring_model: Callable[..., Path], tokenizer: Any
) -> None:
    turns = [Turn(one["role"], one["content"]) for one in TURNS]  # type: ignore[arg-type]
    (scored, _) = answer_ids(tokenizer, Preference(turns[:1], turns[1:], [[Turn("assistant", "No.")]]))
    folder = scoring_model("reward", problem_type="regression")
    model = load_scored(folder, torch.float32, REWARD.labels, REWARD.problem_type).eval()
    ((expected,),) = text_scores(model, [scored.ids], 0, 1)
    answer = posted(rewards, "/classify", messages=TURNS)
    assert answer["data"][0]["probs"] == pytest.approx([expected], abs=1e-5)
    assert answer["data"][0]["label"] == "reward"
    assert answer["usage"]["prompt_tokens"] == len(scored.ids)


def test_a_reranker_reads_both_together(
    scoring_model: Callable[..., Path], tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = PairPrompt(RerankerTask(query_prompt="Q: ", document_prompt=" D: "))
    monkeypatch.setattr("swiftlet_trainer.serve.transformers_loading.read_pair_prompt", lambda _: prompt)
    folder = scoring_model("relevance", problem_type="regression")
    encode = pair_encoder(tokenizer, prompt, LONGEST)
    model = load_scored(folder, torch.float32, RELEVANCE.labels, RELEVANCE.problem_type).eval()
    expected = [one for (one,) in text_scores(model, [encode(TEXTS[0], text) for text in TEXTS[1:]], 0, 1)]
    with serving_model(folder) as client:
        scores = [one["score"] for one in posted(client, "/score", text_1=TEXTS[0], text_2=TEXTS[1:])["data"]]
        assert scores == pytest.approx(expected, abs=1e-5)
        results = posted(client, "/rerank", query=TEXTS[0], documents=TEXTS[1:])["results"]
        refused = client.post("/classify", json={"model": "base", "messages": TURNS})
    assert "a reranker reads a query and a document; ask /score" in refused.json()["error"]["message"]
    assert [one["relevance_score"] for one in results] == pytest.approx(sorted(expected)[::-1], abs=1e-5)


@pytest.mark.parametrize(
    ("kind", "path", "there"),
    [
        ("vectors", "/v1/chat/completions", "/v1/embeddings"),
        ("vectors", "/classify", "/rerank"),
        ("classes", "/v1/completions", "/classify, /pooling"),
        ("classes", "/v1/embeddings", "/classify, /pooling"),
        ("rewards", "/rerank", "/classify, /pooling"),
    ],
)
def test_what_it_does_not_have_says_what_there_is(
    request: pytest.FixtureRequest, kind: str, path: str, there: str
) -> None:
    answer = request.getfixturevalue(kind).post(path, json={"model": "base"})
    assert answer.status_code == 404
    assert "the model has no such endpoint; it has" in answer.json()["error"]["message"]
    assert there in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body", "param", "told"),
    [
        ("/v1/embeddings", {"input": "a " * 99}, "input", "tokens, the longest text is 64; shorten it, or set"),
        ("/v1/embeddings", {"input": "a", "truncate_prompt_tokens": 65}, "truncate_prompt_tokens", "65 is not within"),
        ("/v1/embeddings", {"input": []}, "input", "0 texts; give 1 to 2,048 in a request"),
        ("/v1/embeddings", {"input": ["a"] * 2049}, "input", "2049 texts"),
        ("/v1/embeddings", {"input": [49152]}, "input", "token ids go from 0 to 49151, given is 49152"),
        ("/v1/embeddings", {"input": [True]}, "input", "give a text, a list of token ids"),
        ("/v1/embeddings", {"input": ""}, "input", "input: has no token"),
        ("/v1/embeddings", {"input": [["a"]]}, "input", "give a text, a list of token ids"),
        ("/v1/embeddings", {"input": "\ud83d"}, "input", "holds a lone surrogate"),
        ("/v1/embeddings", {"input": "a", "dimensions": float("nan")}, "dimensions", "finite number"),
        ("/v1/embeddings", {"input": "a", "colour": "red"}, "colour", "not supported by the transformers engine"),
        ("/v1/embeddings", {"input": "a", "truncation_side": "left"}, "truncation_side", "needs vllm"),
        ("/pooling", {"messages": TURNS}, "messages", "makes vectors of texts, not of conversations"),
        ("/pooling", {"input": "a", "task": "classify"}, "task", "the model has embed alone"),
        ("/pooling", {}, "input", "set exactly one of input and messages"),
        ("/score", {"text_1": ["a", "b"], "text_2": ["c"]}, "text_1", "2 texts and 1 of text_2"),
        ("/rerank", {"query": "a", "documents": [5]}, "documents", "give texts"),
        ("/rerank", {"query": "a", "documents": ["b"], "top_n": -1}, "top_n", "greater than or equal to 0"),
    ],
)
def test_a_refusal_names_field_value_and_rule(
    vectors: httpx.Client, path: str, body: dict[str, Any], param: str, told: str
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = vectors.post(path, content=json.dumps({"model": "base", **body}), headers=headers)
    assert answer.status_code == 400, answer.text
    assert told in answer.json()["error"]["message"]
    assert answer.json()["error"]["param"] == param


def test_a_long_text_is_cut_as_asked(vectors: httpx.Client, tokenizer: Any) -> None:
    long, ids = "a " * 99, tokenizer("a " * 99)["input_ids"]
    for asked, kept in ((5, 5), (-1, LONGEST)):
        answer = posted(vectors, "/v1/embeddings", input=long, truncate_prompt_tokens=asked)
        expected = posted(vectors, "/v1/embeddings", input=ids[:kept])["data"][0]["embedding"]
        assert answer["data"][0]["embedding"] == pytest.approx(expected, abs=1e-6)
        assert answer["usage"]["prompt_tokens"] == kept


def test_an_unknown_model_is_refused_before_anything_is_computed(vectors: httpx.Client) -> None:
    answer = vectors.post("/v1/embeddings", json={"model": "nope", "input": "a" * 10_000})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from([2**31, 2**63, 10**400]), st.floats(allow_subnormal=True))
WORDS = st.one_of(st.sampled_from(["", "base", "Hi", "user", "\ud83d", "\x00", "float"]), st.text(max_size=5))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    *POOLING, "input", "messages", "encoding_format", "dimensions", "use_activation", "task", "query", "documents",
    "text_1", "text_2", "data_1", "top_n", "return_documents", "truncate_prompt_tokens",
)  # fmt: skip


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    path=st.sampled_from(["/v1/embeddings", "/pooling", "/score", "/rerank"]),
    fields=st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4),
    text=WORDS | st.lists(WORDS, max_size=3) | st.lists(NUMBERS, max_size=3),
)
def test_any_fields_are_answered_or_refused(vectors: httpx.Client, path: str, fields: Any, text: Any) -> None:
    body = {"model": "base", "input": text, "query": text, "documents": text, **fields}
    wanted = {"/score": ("text_1", "text_2"), "/rerank": ("query", "documents")}.get(path, ("input",))
    body = {"text_1": text, "text_2": text} | body if path == "/score" else body
    body = {name: value for name, value in body.items() if name in ("model", *wanted, *fields)}
    headers = {"Content-Type": "application/json"}
    answer = vectors.post(path, content=json.dumps(body), headers=headers)
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 400:
        assert answer.json()["error"]["message"]


def test_a_body_without_end_is_refused(vectors: httpx.Client) -> None:
    deep = b'{"model": "base", "input": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    for body in (deep, b'{"model": "base"', b"\xff\xfe", b"[]"):
        answer = vectors.post("/v1/embeddings", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert answer.json()["error"]["message"]
