"""Log-likelihoods against transformers' own loss."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from swiftlet_trainer.evaluate import likelihood
from swiftlet_trainer.evaluate.likelihood import Scored, batches, log_likelihoods

TEXTS = [
    "Swifts spend almost their whole lives in the air.",
    "A good question is half of the answer.",
    "Rain.",
    "The market opens at six, and by one o'clock the square is empty again.",
]


def _rows(tokenizer: Any) -> list[Scored]:
    ids = [tokenizer(text)["input_ids"] for text in TEXTS]
    return [Scored(one, [True] * len(one)) for one in ids]


def test_agrees_with_the_loss_of_transformers(model: Any, tokenizer: Any) -> None:
    rows = _rows(tokenizer)
    found = log_likelihoods(model, rows, tokenizer.pad_token_id, batch_size=3)
    for row, one in zip(rows, found, strict=True):
        ids = torch.tensor([row.ids])
        expected = model(input_ids=ids, labels=ids).loss.item() * (len(row.ids) - 1)
        assert one.tokens == len(row.ids) - 1
        assert one.nll == pytest.approx(expected, rel=1e-4)


def test_only_scored_tokens_count(model: Any, tokenizer: Any) -> None:
    ids = _rows(tokenizer)[0].ids
    half = len(ids) // 2
    (one,) = log_likelihoods(model, [Scored(ids, [False] * half + [True] * (len(ids) - half))], 0, batch_size=1)
    labels = torch.tensor([[-100] * half + ids[half:]])
    loss = model(input_ids=torch.tensor([ids]), labels=labels).loss.item()
    assert one.tokens == len(ids) - half
    assert one.nll == pytest.approx(loss * (len(ids) - half), rel=1e-4)


def test_chunked_head_is_the_whole_head(model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _rows(tokenizer)
    whole = log_likelihoods(model, rows, 0, batch_size=4)
    monkeypatch.setattr(likelihood, "HEAD_CHUNK", 3)
    for one, other in zip(log_likelihoods(model, rows, 0, batch_size=4), whole, strict=True):
        assert one.nll == pytest.approx(other.nll, rel=1e-6)


def test_model_that_changes_its_logits_is_computed_whole(model: Any, tokenizer: Any) -> None:
    class Scaled(torch.nn.Module):
        """The model with its logits halved, as some architectures do after their output layer."""

        base_model_prefix, device = "model", model.device

        def __init__(self) -> None:
            super().__init__()
            self.model = model.model
            self.get_output_embeddings = model.get_output_embeddings

        def forward(self, **inputs: Any) -> Any:
            return SimpleNamespace(logits=model(**inputs).logits / 2)

    row = _rows(tokenizer)[0]
    (one,) = log_likelihoods(Scaled(), [row], 0, batch_size=1)
    logits = model(input_ids=torch.tensor([row.ids])).logits[0, :-1] / 2
    expected = torch.nn.functional.cross_entropy(logits, torch.tensor(row.ids[1:]), reduction="sum").item()
    assert one.nll == pytest.approx(expected, rel=1e-4)


def test_progress_counts_every_row_once(model: Any, tokenizer: Any) -> None:
    done: list[int] = []
    log_likelihoods(model, _rows(tokenizer), 0, batch_size=3, done=done.append)
    assert done == [3, 1]


def test_batches_group_rows_of_like_length_within_the_limits() -> None:
    assert list(batches([3, 9, 4, 10], batch_size=2)) == [[3, 1], [2, 0]]
    assert list(batches([30, 30, 70, 10], batch_size=8, max_tokens=60)) == [[2], [0, 1], [3]]
    assert list(batches([], batch_size=2)) == []
