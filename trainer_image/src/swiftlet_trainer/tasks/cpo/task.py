"""Contrastive preference optimization as the trainer sees it."""

from dataclasses import dataclass

import torch
from swiftlet.api.v1alpha1.tasks.cpo import CpoTask
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.tasks.base import StepLoss
from swiftlet_trainer.tasks.preference.losses import hinge, ipo, smoothed
from swiftlet_trainer.tasks.preference.scores import Answers, figures, means, pairs, summed
from swiftlet_trainer.tasks.preference.task import PairTask
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.tokens import TokenScores


@dataclass(frozen=True)
class Cpo(PairTask):
    """A loss of the difference of log-probabilities, and cpoAlpha times -log p of the chosen answer per token."""

    block: CpoTask

    def loss(self, scores: TokenScores, batch: Batch) -> StepLoss:
        per_token, beta = means(scores, batch), self.block.beta
        likelihoods = per_token if self.block.loss_type == "ipo" else pairs(summed(scores.logprob, batch))
        each = self._compared(likelihoods.margin) - self.block.cpo_alpha * per_token.chosen
        return StepLoss(each.sum(), figures(Answers(beta * likelihoods.chosen, beta * likelihoods.rejected)))

    def _compared(self, margin: torch.Tensor) -> torch.Tensor:
        if self.block.loss_type == "ipo":
            return ipo(margin, self.block.beta)
        if self.block.loss_type == "hinge":
            return hinge(self.block.beta * margin)
        return smoothed(self.block.beta * margin, self.block.label_smoothing)


def task(document: TrainDocument) -> Cpo:
    """Of a document with the block task.cpo."""
    assert document.task.cpo  # noqa: S101
    return Cpo(document.task.cpo)
