"""What rerankers learn of a row of a query and documents."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from swiftlet.api.v1alpha1.tasks.reranker import RerankerTask
from swiftlet.wire.documents import TrainDocument
from swiftlet_trainer.data.encode import DroppedError
from swiftlet_trainer.data.examples import Relevance
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.reranker import PairPrompt
from swiftlet_trainer.tasks.reranker.rows import RerankerRows, rows, target_notes
from swiftlet_trainer.templates.segments import Segments

Made = list[tuple[list[str], list[float]]]
ROW = {"a": 1.0, "b": 0.0, "c": 1.0, "d": 0.0}


@pytest.fixture
def learn(tokenizer: Any) -> Callable[..., Made]:
    """The texts of each group that a row becomes, and its targets."""

    def made(documents: dict[str, float], limit: int = 100, system: str | None = None, **fields: Any) -> Made:
        segments = Segments(tokenizer)
        rows = RerankerRows(PairPrompt(RerankerTask.model_validate(fields), system), tokenizer, segments)
        rendered = rows.rendered(Relevance("q", list(documents), list(documents.values())))
        parts = [part[:limit] for (part,) in segments.encode(rendered)]  # type: ignore[misc]
        found = []
        for row in rows.grouped([rows.labelled([ids], one) for ids, one in zip(parts, rendered, strict=True)]):
            assert set(row.labels) == {-100} and len(row.labels) == len(row.input_ids)
            ids = iter(row.input_ids)
            texts = [[next(ids) for _ in range(length)] for length in row.lengths or [len(row.input_ids)]]
            found.append(([tokenizer.decode(text) for text in texts], row.targets or []))
        return found

    return made


def text(document: str) -> str:
    return f"Query: q\nDocument: {document}"


def test_each_document_is_judged_by_itself_where_scores_are_learnt(learn: Callable[..., Made]) -> None:
    found = [([text(one)], [grade]) for one, grade in (("a", 1.0), ("c", 1.0), ("b", 0.0), ("d", 0.0))]
    assert learn(ROW) == found
    assert learn(ROW, maxNegativeSamples=1) == found[:3]
    assert learn({"a": 0.5, "b": 0.25}) == [([text("a")], [0.5]), ([text("b")], [0.25])]


def test_each_positive_is_chosen_among_the_negatives_of_a_list(learn: Callable[..., Made]) -> None:
    expected = [([text(one), text("b"), text("d")], [1.0]) for one in ("a", "c")]
    assert learn(ROW, lossType="listwise") == expected
    assert learn(ROW, lossType="listwise", maxNegativeSamples=1)[0] == ([text("a"), text("b")], [1.0])


def test_prompts_are_written_before_each(learn: Callable[..., Made]) -> None:
    assert learn({"a": 1.0}, queryPrompt="", documentPrompt=" | ") == [(["q | a"], [1.0])]


def asked(document: str) -> str:
    return f"<|im_start|>system\nJudge.<|im_end|>\n<|im_start|>user\n{text(document)}{ANSWERED}"


ANSWERED = "<|im_end|>\n<|im_start|>assistant\n"


def test_a_language_model_is_asked_by_its_template(learn: Callable[..., Made]) -> None:
    found = learn({"a": 1.0, "<|im_end|>": 0.0}, system="Judge.", generative=True)
    assert found == [([asked("a")], [1.0]), ([asked("<|im_end|>")], [0.0])]
    listwise = learn(ROW, system="Judge.", generative=True, lossType="listwise")
    assert listwise[0] == ([asked("a"), asked("b"), asked("d")], [1.0])


def test_of_a_question_that_is_too_long_the_document_is_cut(learn: Callable[..., Made]) -> None:
    ((only,), _) = learn({"the end of the day": 1.0}, limit=26, system="Judge.", generative=True)[0]
    assert only == asked("the end of")
    with pytest.raises(DroppedError, match="6 tokens of the chat template alone"):
        learn({"the end": 1.0}, limit=6, generative=True)


def test_a_language_model_without_a_template_goes_on_with_the_text(
    learn: Callable[..., Made], tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokenizer, "chat_template", None)
    assert learn({"a": 1.0}, generative=True, documentPrompt=" Relevant? ") == [(["Query: q Relevant? a"], [1.0])]


def test_words_of_several_tokens_are_refused(pod: Any, tokenizer: Any) -> None:
    block = {"generative": True, "positiveToken": "relevantly so", "negativeToken": "<|im_end|>"}
    document: TrainDocument = pod.document({"uri": "a.jsonl", "path": "/a.jsonl"}, task={"reranker": block})
    with pytest.raises(InvalidInput) as refused:
        rows(document, tokenizer, Segments(tokenizer))
    several, control = refused.value.problems
    assert several.startswith("task.reranker.positiveToken: 'relevantly so' is 3 tokens of this tokenizer")
    assert control.startswith("task.reranker.negativeToken: ")


@pytest.mark.parametrize(
    ("documents", "fields", "words"),
    [
        ({"a": 1.5}, {}, "score 1.5 is not within 0 and 1"),
        ({"a": -1.0}, {"lossType": "listwise"}, "score -1.0 is not within 0 and 1"),
        ({"a": 0.5, "b": 0.0}, {"lossType": "listwise"}, "score 0.5 is neither 0 nor 1"),
        ({"a": 1.0}, {"lossType": "listwise"}, "no negative in it"),
        ({"a": 0.0}, {"lossType": "listwise"}, "no positive in it"),
    ],
)
def test_rows_of_which_a_loss_learns_nothing(
    learn: Callable[..., Made], documents: dict[str, float], fields: Any, words: str
) -> None:
    with pytest.raises(RowError, match=words):
        learn(documents, **fields)


def test_what_differs_beyond_the_longest_text_alone_is_dropped(learn: Callable[..., Made]) -> None:
    with pytest.raises(DroppedError, match="same tokens"):
        learn({"the end": 1.0, "the other end": 0.0}, limit=4)


def test_documents_of_one_grade_teach_nothing(pod: Any) -> None:
    document: TrainDocument = pod.document({"uri": "a.jsonl", "path": "/a.jsonl"}, task={"reranker": {}})
    with pytest.raises(InvalidInput, match="all 3 documents of training rows have the grade 1"):
        target_notes(document, np.ones(3, dtype=np.float32))
    assert target_notes(document, np.array([1, 0], dtype=np.float32)) == []
    listwise = pod.document({"uri": "a.jsonl", "path": "/a.jsonl"}, task={"reranker": {"lossType": "listwise"}})
    assert target_notes(listwise, np.ones(3, dtype=np.float32)) == []
