"""Log-likelihoods of tokens, by the head that training uses: computed only where a token is scored, in chunks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from swiftlet_trainer.evaluate.finite import require_numbers
from swiftlet_trainer.training.collate import padded
from swiftlet_trainer.training.heads.tokens import token_scores
from swiftlet_trainer.training.logits import Logits, is_understood, logits_of

MAX_BATCH_TOKENS = 4096
"""Padded tokens of one forward pass: memory of activations is bounded whatever the rows are."""

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Scored:
    """A sequence of token ids and which of them are scored. The first token has nothing before it and never is."""

    ids: list[int]
    scored: list[bool]


@dataclass(frozen=True)
class Likelihood:
    """nll: summed negative log-likelihood in nats of the scored tokens. tokens: how many they are."""

    nll: float
    tokens: int


def log_likelihoods(
    model: Any, rows: Sequence[Scored], pad_id: int, batch_size: int, done: Progress = lambda count: None
) -> list[Likelihood]:
    """The likelihood of each row, in the order of `rows`; `done` is called with the rows of each finished batch.

    Rows of like length share a batch, padded on the right, so that causal attention never sees the padding.
    Raises NotFiniteError.
    """
    found: dict[int, Likelihood] = {}
    with torch.inference_mode():
        # An adapter's layers lie within the model that it was put on.
        causal = model.get_base_model() if hasattr(model, "get_base_model") else model
        logits = logits_of(causal) if rows and is_understood(causal) else None
        for batch in batches([len(row.ids) for row in rows], batch_size):
            chosen = [rows[index] for index in batch]
            scores = _batch(causal, logits, chosen, pad_id)
            require_numbers(batch, [one.nll for one in scores])
            found |= zip(batch, scores, strict=True)
            done(len(batch))
    return [found[index] for index in range(len(rows))]


def batches(lengths: Sequence[int], batch_size: int, max_tokens: int = MAX_BATCH_TOKENS) -> Iterator[list[int]]:
    """Indices of rows, longest first (what does not fit in memory fails at once), in batches of at most `batch_size`
    rows and `max_tokens` padded tokens; a longer row is a batch of its own."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batch and (len(batch) == batch_size or (len(batch) + 1) * lengths[batch[0]] > max_tokens):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _batch(model: Any, logits: Logits | None, rows: Sequence[Scored], pad_id: int) -> list[Likelihood]:
    """logits: how `model` makes them of its backbone's hidden states; None where only its own forward pass knows."""
    width = max(len(row.ids) for row in rows)
    ids = padded([row.ids for row in rows], width, pad_id).to(model.device)
    mask = padded([[1] * len(row.ids) for row in rows], width, 0).to(model.device)
    scored = padded([row.scored[1:] for row in rows], width - 1, False).bool().to(model.device)
    targets = ids[:, 1:][scored]
    if logits is None:
        whole = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1][scored]
        losses = torch.nn.functional.cross_entropy(whole.float(), targets, reduction="none")
    else:
        passed = model.base_model(input_ids=ids, attention_mask=mask, use_cache=False)
        losses = -token_scores(passed.last_hidden_state[:, :-1][scored], targets, logits).logprob
    counts = scored.sum(dim=1).tolist()
    sums = [float(part.double().sum()) for part in losses.split(counts)]
    return [Likelihood(nll, int(count)) for nll, count in zip(sums, counts, strict=True)]
