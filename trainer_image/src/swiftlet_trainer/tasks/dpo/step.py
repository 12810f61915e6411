"""DPO with losses that sort all pairs of a step, whatever batches they are computed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from swiftlet_trainer.parallel.peers import Peers
from swiftlet_trainer.tasks.base import StepLoss
from swiftlet_trainer.tasks.dpo.loss import Transported, step_loss
from swiftlet_trainer.tasks.dpo.pairwise import Dpo
from swiftlet_trainer.tasks.preference.scores import pairs
from swiftlet_trainer.training.among import joined, with_own
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.tokens import TokenScores


class Among(NamedTuple):
    """The answers of a step, and where a batch's begin."""

    likelihoods: torch.Tensor
    """log p by the model and by the reference, fp32, (sequences, 2)."""
    first: int


@dataclass(frozen=True)
class DpoOfStep(Dpo):
    """What each pair loses by itself, and what all pairs of the step lose together."""

    def part(self, scores: TokenScores, batch: Batch) -> torch.Tensor:
        """What a batch is to the others of its step: its rows of Among.likelihoods."""
        likelihoods = self.likelihoods(scores, batch)
        reference = batch["reference"] if self.has_reference else torch.zeros_like(likelihoods)
        return torch.stack([likelihoods, reference], dim=-1)

    def shared(self, parts: Sequence[torch.Tensor], counted: Sequence[bool], peers: Peers) -> list[Among]:
        whole, firsts = joined(parts, counted, peers)
        return [Among(whole, first) for first in firsts]

    def loss(self, scores: TokenScores, batch: Batch) -> StepLoss:
        """The value of what is lost together is a batch's share by its pairs, the gradient is all of it by the batch's
        answers: summed over batches they are the loss and its gradient (arXiv:2101.06983, section 3.2)."""
        alone, own, among = super().loss(scores, batch), self.part(scores, batch), batch.get("among")
        together = own if among is None else with_own(among.likelihoods, among.first, own)
        found = step_loss(Transported(*map(pairs, together.unbind(-1))), self.block)
        value = found.detach() * (len(own) / len(together))
        return StepLoss(alone.total + value + (found - found.detach()), alone.figures)
