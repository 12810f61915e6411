"""What a method of learning is to the trainer.

A task says how much was lost and of how many items, and never divides or reduces: the trainer sums over micro-batches
and processes, and divides by the items of the whole step. So what is learnt depends on neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import torch

from swiftlet_trainer.models.scores import ScoreHead
from swiftlet_trainer.parallel.peers import Peers
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.figures import Told
from swiftlet_trainer.training.heads.odds import OddsHead
from swiftlet_trainer.training.heads.pool import PoolHead
from swiftlet_trainer.training.heads.tokens import Want


@dataclass(frozen=True)
class StepLoss:
    """A batch's part of the loss of a step: fp32 scalars."""

    total: torch.Tensor
    """Summed over items; what the gradient is of."""
    figures: dict[str, torch.Tensor] = field(default_factory=dict)
    """Sums over items without a gradient, by the names of Task.figures."""


class Task(Protocol):
    """One method, in a folder of its own: see swiftlet_trainer.tasks.registry."""

    @property
    def items(self) -> Literal["tokens", "groups"]:
        """What losses and figures are means over: labelled tokens, or groups of sequences."""

    @property
    def head(self) -> ScoreHead | OddsHead | PoolHead | None:
        """What the loss is of: scores of sequences, by a layer or by what the model says, or vectors of them. None:
        log-probabilities of labelled tokens, of which alone `want`, `is_linear` and `smoothing` speak."""

    @property
    def want(self) -> Want:
        """What the head tells beside log-probabilities."""

    @property
    def is_linear(self) -> bool:
        """Whether the loss is a multiple of the sum of weight x logprob, see heads.tokens.token_scores."""

    @property
    def smoothing(self) -> float:
        """Share of each label that is spread over the vocabulary, see heads.tokens.TokenScores.logprob."""

    @property
    def has_reference(self) -> bool:
        """Whether batches have to say what the model that the run starts from makes of their sequences: what
        `likelihoods` says then, see training.reference."""

    @property
    def has_baseline(self) -> bool:
        """Whether a step's loss compares with a mean over all its rows that is known before: of what `baseline` sums,
        see training.baseline."""

    @property
    def figures(self) -> tuple[str, ...]:
        """What is summed beside the loss."""

    def loss(self, outputs: Any, batch: Batch) -> StepLoss:
        """Of one batch. outputs: heads.tokens.TokenScores, heads.score.SequenceScores or heads.pool.SequenceVectors, as
        `head` says."""

    def told(self, means: Mapping[str, float]) -> Told:
        """What is reported of the means over items of figures."""


@runtime_checkable
class ComparesRows(Protocol):
    """A task whose loss of a batch depends on the other rows of its step, see training.among."""

    def part(self, outputs: Any, batch: Batch) -> Any:
        """What a batch is to the others. outputs: see Task.loss."""

    def shared(self, parts: Sequence[Any], counted: Sequence[bool], peers: Peers) -> Sequence[Any]:
        """Of each of this process's batches of a step: what `loss` finds as `among` in the batch. All processes ask
        together, with as many batches each. parts: theirs. counted: whether each is of the step."""
