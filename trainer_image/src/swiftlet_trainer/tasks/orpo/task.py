"""Odds ratio preference optimization as the trainer sees it."""

from dataclasses import dataclass

import torch
from swiftlet.api.v1alpha1.tasks.orpo import OrpoTask
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.tasks.base import StepLoss
from swiftlet_trainer.tasks.orpo.loss import log_odds_ratio
from swiftlet_trainer.tasks.preference.scores import Answers, figures, means
from swiftlet_trainer.tasks.preference.task import PairTask
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.tokens import TokenScores


@dataclass(frozen=True)
class Orpo(PairTask):
    """-log p of the chosen answer per token, and beta times -log sigmoid of the log odds ratio.

    Source: arXiv:2403.07691, equations 6 and 7.
    """

    block: OrpoTask

    def loss(self, scores: TokenScores, batch: Batch) -> StepLoss:
        likelihoods = means(scores, batch)
        odds = torch.nn.functional.logsigmoid(log_odds_ratio(likelihoods))
        rewards = Answers(self.block.beta * likelihoods.chosen, self.block.beta * likelihoods.rejected)
        return StepLoss((-likelihoods.chosen - self.block.beta * odds).sum(), figures(rewards))


def task(document: TrainDocument) -> Orpo:
    """Of a document with the block task.orpo."""
    assert document.task.orpo  # noqa: S101
    return Orpo(document.task.orpo)
