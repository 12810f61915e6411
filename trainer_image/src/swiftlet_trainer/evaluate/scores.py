"""Scores of texts, by models that score texts."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from swiftlet_trainer.evaluate.likelihood import Progress
from swiftlet_trainer.evaluate.vectors import by_batches
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.scores import ScoreHead
from swiftlet_trainer.tasks.score.rows import ended
from swiftlet_trainer.training.collate import padded
from swiftlet_trainer.training.heads.backbone import hidden_states
from swiftlet_trainer.training.heads.odds import OddsHead
from swiftlet_trainer.training.logits import head_problem, logits_of


def head_of(model: Any) -> ScoreHead | None:
    """What a loaded model scores texts by; None where it does not. With an adapter or without."""
    if getattr(model, "score", None) is None:
        return None
    return ScoreHead(tuple(model.config.id2label.values()), model.config.problem_type)


def text_scores(
    model: Any,
    texts: Sequence[list[int]],
    pad_id: int,
    batch_size: int,
    done: Progress = lambda count: None,
    odds: OddsHead | None = None,
) -> list[list[float]]:
    """The scores of each text, given as token ids, where it ends. `done` gets the texts of each finished batch.

    odds: by which a language model scores them; None: by its own layer. Texts of like length share a batch, padded on
    the right. Raises NotFiniteError.
    """
    scoring = model.get_base_model() if hasattr(model, "get_base_model") else model
    if odds is None:
        texts, score = [ended(text, pad_id) for text in texts], scoring.score
    else:
        score = _by_odds(scoring, odds)

    def scored(batch: Sequence[list[int]]) -> torch.Tensor:
        width = max(map(len, batch))
        ids = padded(batch, width, pad_id).to(scoring.device)
        last = torch.tensor([row * width + len(text) - 1 for row, text in enumerate(batch)], device=scoring.device)
        # Attention is causal and padding comes last, as in training.
        hidden = hidden_states(scoring.base_model, ids).index_select(0, last)
        return torch.as_tensor(score(hidden)).float().cpu()

    found: list[list[float]] = by_batches(texts, batch_size, done, scored).tolist()
    return found


def _by_odds(model: Any, odds: OddsHead) -> Callable[[torch.Tensor], torch.Tensor]:
    """From hidden states of a causal language model. Raises InvalidInput where its logits are not understood."""
    if problem := head_problem(model):
        raise InvalidInput([problem])
    logits = logits_of(model)
    return lambda hidden: odds(logits(hidden))
