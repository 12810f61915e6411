"""What is learnt of a row of texts that are compared."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from swiftlet.api.v1alpha1.finetunejob import Template
from swiftlet.api.v1alpha1.tasks.embedding import EmbeddingTask
from swiftlet_trainer.data.encode import DroppedError, Encoder
from swiftlet_trainer.data.examples import Relevance
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.tasks.embedding.rows import EmbeddingRows, target_notes
from swiftlet_trainer.tasks.registry import rows_of
from swiftlet_trainer.templates.segments import Segments
from tokenizers.processors import TemplateProcessing

Made = list[tuple[list[str], float]]


@pytest.fixture
def learn(tokenizer: Any) -> Callable[..., Made]:
    """The texts of each group that a row becomes, and its target."""

    def made(query: str, documents: dict[str, float], template: dict[str, Any] | None = None, **fields: Any) -> Made:
        segments = Segments(tokenizer)
        rows = EmbeddingRows(EmbeddingTask.model_validate(fields), segments)
        encoder = Encoder(rows, segments, Template.model_validate(template or {}), of_tokens=False)
        rendered = rows.rendered(Relevance(query, list(documents), list(documents.values())))
        parts = segments.encode(rendered)
        sequences = [rows.labelled(one, text) for one, text in zip(parts, rendered, strict=True)]  # type: ignore[arg-type]
        found = []
        for row in encoder._limited(sequences, rendered):
            assert len(row.input_ids) == len(row.labels) == sum(row.lengths or [])
            assert set(row.labels) == {-100}
            ids = iter(row.input_ids)
            texts = [tokenizer.decode([next(ids) for _ in range(length)]) for length in row.lengths or []]
            found.append((texts, (row.targets or [])[0]))
        return found

    return made


ROW = {"a": 1.0, "b": 0.0, "c": 1.0, "d": 0.0}


def test_a_group_for_each_positive(learn: Callable[..., Made]) -> None:
    assert learn("q", ROW) == [(["q", "a", "b", "d"], 1), (["q", "c", "b", "d"], 1)]
    assert learn("q", ROW, hardNegatives=1) == [(["q", "a", "b"], 1), (["q", "c", "b"], 1)]
    assert learn("q", {"a": 1.0}, hardNegatives=0) == [(["q", "a"], 1)]


@pytest.mark.parametrize("loss", ["contrastive", "online_contrastive", "cosine_similarity", "cosent"])
def test_a_pair_for_each_document_where_scores_are_learnt(learn: Callable[..., Made], loss: str) -> None:
    assert learn("q", {"a": 0.25, "b": 0.0}, lossType=loss) == [(["q", "a"], 0.25), (["q", "b"], 0)]


def test_prompts_come_first(learn: Callable[..., Made]) -> None:
    assert learn("q", {"a": 1.0}, queryPrompt="Query: ", documentPrompt="Text: ") == [(["Query: q", "Text: a"], 1)]


def test_texts_are_as_the_tokenizer_has_them(tokenizer: Any) -> None:
    """With the token at their end that models of embeddings have, and no other; also where they are cut."""
    tokenizer = copy.deepcopy(tokenizer)
    segments = Segments(tokenizer)
    assert segments.end == [], "this tokenizer puts none"
    for ending in (False, True):
        if ending:
            tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
                single="$A <|im_end|>", special_tokens=[("<|im_end|>", tokenizer.eos_token_id)]
            )
            segments = Segments(tokenizer)
        rows = EmbeddingRows(EmbeddingTask(), segments)
        rendered = rows.rendered(Relevance("Which bird?", ["The swift."], [1.0]))
        query, document = (
            rows.labelled(part, text)  # type: ignore[arg-type]
            for part, text in zip(segments.encode(rendered), rendered, strict=True)
        )
        assert query.input_ids == tokenizer("Which bird?")["input_ids"]
        (row,) = rows.grouped([query, document])
        assert row.input_ids == [*tokenizer("Which bird?")["input_ids"], *tokenizer("The swift.")["input_ids"]]
        if ending:
            cut = replace(document, input_ids=document.input_ids[:2], labels=document.labels[:2])
            (row,) = rows.grouped([query, cut])
            assert row.input_ids[-1] == tokenizer.eos_token_id


REFUSED = {
    "a score for infonce": ({"a": 0.7}, {}, "score 0.7 is neither 0 nor 1"),
    "no positive": ({"a": 0.0}, {}, "no positive in it"),
    "no negative for triplet": ({"a": 1.0}, {"lossType": "triplet"}, "no negative in it, and lossType triplet"),
    "no negative without those of others": ({"a": 1.0}, {"useBatch": False}, "no negative in it, and lossType infonce"),
    "a score of other scale": ({"a": 4.2}, {"lossType": "cosine_similarity"}, "score 4.2 is not within -1 and 1"),
    "a score below 0": ({"a": -0.5}, {"lossType": "contrastive"}, "score -0.5 is not within 0 and 1"),
}


@pytest.mark.parametrize(("documents", "fields", "words"), REFUSED.values(), ids=REFUSED)
def test_a_row_that_the_loss_cannot_learn_from(
    learn: Callable[..., Made], documents: Any, fields: Any, words: str
) -> None:
    with pytest.raises(RowError, match=words):
        learn("q", documents, **fields)


def test_a_score_of_any_scale_has_an_order(learn: Callable[..., Made]) -> None:
    assert learn("q", {"a": 4.2, "b": -3.0}, lossType="cosent") == [(["q", "a"], pytest.approx(4.2)), (["q", "b"], -3)]


def test_texts_that_are_the_same_tokens_are_dropped(learn: Callable[..., Made]) -> None:
    """Where they differ beyond maxLength alone."""
    long = "a b c d e f g h"
    with pytest.raises(DroppedError, match="a positive and a negative are the same tokens"):
        learn("q", {f"{long} i": 1.0, f"{long} j": 0.0}, {"maxLength": 8, "truncation": "truncate"})


def test_a_text_that_is_too_long_drops_its_row(learn: Callable[..., Made]) -> None:
    with pytest.raises(DroppedError, match="maxLength is 8"):
        learn("q", {"a b c d e f g h i j k": 1.0}, {"maxLength": 8})


def test_scores_that_are_all_the_same_teach_nothing(pod: Any) -> None:
    document = pod.document(task={"embedding": {"lossType": "cosent"}})
    with pytest.raises(InvalidInput, match="all 3 training pairs have the score 1"):
        target_notes(document, np.ones(3, dtype=np.float32))
    assert target_notes(document, np.array([1, 0.5], dtype=np.float32)) == []
    assert target_notes(pod.document(task={"embedding": {}}), np.ones(3, dtype=np.float32)) == []


def test_a_beginning_longer_than_the_models_vectors_is_refused(pod: Any, tokenizer: Any, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"hidden_size": 64}')
    for sizes, is_fine in (([64, 8], True), ([8, 65], False)):
        document = pod.document(task={"embedding": {"matryoshkaDims": sizes}})
        document.model.path = "/model"
        if is_fine:
            assert rows_of(document, tokenizer, Segments(tokenizer))
        else:
            with pytest.raises(InvalidInput, match="matryoshkaDims: 65 is more than the 64 numbers"):
                rows_of(document, tokenizer, Segments(tokenizer))
