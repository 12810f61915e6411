"""Log-likelihoods against transformers' own loss."""

from typing import Any

import pytest
import torch
import transformers
from swiftlet_trainer.evaluate.likelihood import Scored, batches, log_likelihoods
from swiftlet_trainer.training.heads import tokens as head

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
    monkeypatch.setitem(head.CHUNK_BYTES, "cpu", 3 * 4 * model.config.vocab_size)
    for one, other in zip(log_likelihoods(model, rows, 0, batch_size=4), whole, strict=True):
        assert one.nll == pytest.approx(other.nll, rel=1e-6)


def _expected(model: Any, row: Scored) -> float:
    """By the model's own forward pass."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([row.ids])).logits[0, :-1]
    return torch.nn.functional.cross_entropy(logits, torch.tensor(row.ids[1:]), reduction="sum").item()


def test_model_that_changes_its_logits_is_computed_whole(
    model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a way that is not known: its logits are halved, and its config does not say so."""
    own = model.forward

    def forward(**inputs: Any) -> Any:
        found = own(**inputs)
        found.logits = found.logits / 2
        return found

    monkeypatch.setattr(model, "forward", forward)
    row = _rows(tokenizer)[0]
    (one,) = log_likelihoods(model, [row], 0, batch_size=1)
    assert one.nll == pytest.approx(_expected(model, row), rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "setting"),
    [("Cohere", {"logit_scale": 0.25}), ("Granite", {"logits_scaling": 8.0}), ("Gemma2", {"head_dim": 8})],
)
def test_logits_that_training_knows_are_computed_for_scored_tokens_alone(
    kind: str, setting: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scaled or capped ones: the model's own forward pass is asked for the few tokens that are tried, and no more."""
    torch.manual_seed(0)
    sizes = {"vocab_size": 300, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "pad_token_id": 0}
    config = getattr(transformers, f"{kind}Config")(**sizes, **heads, **setting, initializer_range=0.3)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    row = Scored(list(range(5, 45)), [True] * 40)
    expected, asked = _expected(model, row), []
    own = model.forward

    def forward(**inputs: Any) -> Any:
        asked.append(inputs["input_ids"].numel())
        return own(**inputs)

    monkeypatch.setattr(model, "forward", forward)
    (one,) = log_likelihoods(model, [row], 0, batch_size=1)
    assert one.nll == pytest.approx(expected, rel=1e-4)
    assert sum(asked) < len(row.ids)


def test_progress_counts_every_row_once(model: Any, tokenizer: Any) -> None:
    done: list[int] = []
    log_likelihoods(model, _rows(tokenizer), 0, batch_size=3, done=done.append)
    assert done == [3, 1]


def test_batches_group_rows_of_like_length_within_the_limits() -> None:
    assert list(batches([3, 9, 4, 10], batch_size=2)) == [[3, 1], [2, 0]]
    assert list(batches([30, 30, 70, 10], batch_size=8, max_tokens=60)) == [[2], [0, 1], [3]]
    assert list(batches([], batch_size=2)) == []
