"""Texts as vectors of length 1, whose products are cosines."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from swiftlet.api.v1alpha1.tasks.embedding import Pooling

from swiftlet_trainer.evaluate.finite import NotFiniteError
from swiftlet_trainer.evaluate.likelihood import Progress, batches
from swiftlet_trainer.training.collate import padded
from swiftlet_trainer.training.heads.backbone import hidden_states
from swiftlet_trainer.training.heads.pool import PoolHead, pooled


def text_vectors(
    model: Any,
    texts: Sequence[list[int]],
    pooling: Pooling,
    pad_id: int,
    batch_size: int,
    done: Progress = lambda count: None,
) -> torch.Tensor:
    """The vector of each text, given as token ids: fp32, (texts, hidden). `done` gets the texts of each finished batch.

    Texts of like length share a batch, padded on the right. Raises NotFiniteError.
    """
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    return by_batches(texts, batch_size, done, lambda batch: _batch(causal, batch, pooling, pad_id))


def by_batches(
    texts: Sequence[list[int]],
    batch_size: int,
    done: Progress,
    compute: Callable[[Sequence[list[int]]], torch.Tensor],
) -> torch.Tensor:
    """What `compute` makes of each text, (texts, values): it gets some at a time. For the rest see text_vectors."""
    found: dict[int, torch.Tensor] = {}
    with torch.inference_mode():
        for batch in batches([len(text) for text in texts], batch_size):
            vectors = compute([texts[index] for index in batch])
            if not vectors.isfinite().all():
                bad = vectors.isfinite().all(-1).logical_not().tolist()
                raise NotFiniteError([index for index, is_bad in zip(batch, bad, strict=True) if is_bad])
            found |= zip(batch, vectors, strict=True)
            done(len(batch))
    return torch.stack([found[index] for index in range(len(texts))])


def _batch(model: Any, texts: Sequence[list[int]], pooling: Pooling, pad_id: int) -> torch.Tensor:
    width = max(map(len, texts))
    ids = padded(texts, width, pad_id).to(model.device)
    starts = torch.arange(len(texts)) * width
    ends = starts + torch.tensor([len(text) for text in texts])
    # Causal attention never sees the padding.
    hidden = hidden_states(model.base_model, ids)
    return pooled(hidden, torch.stack([starts, ends], -1).to(model.device), PoolHead(pooling)).cpu()
