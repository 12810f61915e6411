"""A few tokens through a model, to see whether another way of computing it means the same."""

from typing import Any

import torch

from swiftlet_trainer.training.collate import bounds
from swiftlet_trainer.training.row_by_row import row_parts

PROBE_ROWS = (5, 3)
TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.05}
"""Of a token's hidden state, as a share of its length. In bf16, another kernel for attention moved tokens of
SmolLM2-135M by up to 2.6 %; rows that see each other by 50 % and more, one norm without its weight by up to 84 %."""
POSITIONS = torch.cat([torch.arange(length) for length in PROBE_ROWS]).unsqueeze(0)
SHARED = torch.cat([torch.arange(5), torch.arange(2, 4), torch.arange(3)]).unsqueeze(0)
"""Of the rows that are tried, and one between them that goes on from the first two tokens of the first."""


def alone(model: Any, positions: torch.Tensor = POSITIONS) -> torch.Tensor:
    """Hidden states of the rows that are tried, each in a pass of its own: (1, tokens of all, hidden), fp32.

    positions: of the tokens of all, (1, tokens of all), see row_by_row.row_parts.
    """
    tokens, found = probe_tokens(model, positions.numel()), []
    for part in row_parts(positions):
        row = torch.cat([tokens[:, part.begun], tokens[:, part.own]], 1)
        found.append(_hidden(model, row, torch.arange(part.length)[None].to(model.device))[:, part.shared :])
    return torch.cat(found, 1)


def together(model: Any, told: bool = False, positions: torch.Tensor = POSITIONS) -> torch.Tensor:
    """The same with all rows in one sequence; `told`: with their bounds too, as batches have them."""
    ends, longest = bounds(positions)
    given = {"cu_seq_lens_q": ends.to(model.device), "max_length_q": longest} if told else {}
    return _hidden(model, probe_tokens(model, positions.numel()), positions.to(model.device), **given)


def probe_tokens(model: Any, count: int) -> torch.Tensor:
    """(1, count) ids from all over the vocabulary: the first are control tokens, whose embeddings are often alike."""
    share = torch.linspace(0, 1, count + 2, dtype=torch.float64)[1:-1]
    ids = share.mul(model.config.get_text_config().vocab_size).long()
    return ids.unsqueeze(0).to(model.device)


def _hidden(model: Any, tokens: torch.Tensor, positions: torch.Tensor, **given: Any) -> torch.Tensor:
    training = model.training
    model.eval()
    try:
        passed = model.base_model(input_ids=tokens, position_ids=positions, use_cache=False, **given)
    finally:
        model.train(training)
    found: torch.Tensor = passed.last_hidden_state
    return found.float()


def agree(model: Any, one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two hidden states of `model` are the same but for rounding, token by token.

    Broken weights say nothing: what is NaN in both is the same.
    """
    if not torch.equal(one.isnan(), other.isnan()):
        return False
    one, other = one.nan_to_num(), other.nan_to_num()
    apart = torch.linalg.vector_norm(one - other, dim=-1)
    return bool((apart <= TOLERANCE[model.dtype] * torch.linalg.vector_norm(other, dim=-1)).all())
