"""Log-likelihoods of tokens, with the head computed only where a token is scored, in chunks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from swiftlet_trainer.evaluate.finite import require_numbers

HEAD_CHUNK = 256
"""Positions whose logits exist at once: memory is HEAD_CHUNK x vocabulary x 4 bytes."""
MAX_BATCH_TOKENS = 4096
"""Padded tokens of one forward pass: memory of activations is bounded whatever the rows are."""
PROBE_TOKENS = 8

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
        head = _head(model, rows[0].ids[:PROBE_TOKENS]) if rows else None
        for batch in batches([len(row.ids) for row in rows], batch_size):
            chosen = [rows[index] for index in batch]
            scores = _batch(model, head, chosen, pad_id)
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


def _batch(model: Any, head: Any, rows: Sequence[Scored], pad_id: int) -> list[Likelihood]:
    width = max(len(row.ids) for row in rows)
    ids = torch.tensor([row.ids + [pad_id] * (width - len(row.ids)) for row in rows], device=model.device)
    mask = torch.tensor([[1] * len(row.ids) + [0] * (width - len(row.ids)) for row in rows], device=model.device)
    scored = torch.tensor(
        [row.scored[1:] + [False] * (width - len(row.ids)) for row in rows], dtype=torch.bool, device=model.device
    )
    targets = ids[:, 1:][scored]
    if head is None:
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1][scored]
        losses = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="none")
    else:
        backbone, project = head
        hidden = backbone(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state[:, :-1][scored]
        losses = torch.cat(
            [
                torch.nn.functional.cross_entropy(project(part).float(), goal, reduction="none")
                for part, goal in zip(hidden.split(HEAD_CHUNK), targets.split(HEAD_CHUNK), strict=True)
            ]
        )
    counts = scored.sum(dim=1).tolist()
    sums = [float(part.double().sum()) for part in losses.split(counts)]
    return [Likelihood(nll, int(count)) for nll, count in zip(sums, counts, strict=True)]


def _head(model: Any, probe: list[int]) -> tuple[Any, Any] | None:
    """(backbone, output layer) when their composition is the model, else None.

    Some architectures scale or cap their logits after the output layer. Instead of knowing them by name, the two ways
    are compared on a few tokens; where they differ, the model's own forward pass is used whole.
    """
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    backbone, project = getattr(causal, causal.base_model_prefix, None), causal.get_output_embeddings()
    if backbone is None or project is None or backbone is causal:
        return None
    ids = torch.tensor([probe], device=model.device)
    whole = model(input_ids=ids, use_cache=False).logits
    parts = project(backbone(input_ids=ids, use_cache=False).last_hidden_state)
    same = whole.shape == parts.shape and torch.allclose(whole.float(), parts.float(), rtol=1e-2, atol=1e-2)
    return (backbone, project) if same else None
