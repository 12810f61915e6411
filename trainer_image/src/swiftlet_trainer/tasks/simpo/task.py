"""Simple preference optimization as the trainer sees it."""

from dataclasses import dataclass

from swiftlet.api.v1alpha1.tasks.simpo import SimpoTask
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.tasks.base import StepLoss
from swiftlet_trainer.tasks.preference.losses import smoothed
from swiftlet_trainer.tasks.preference.scores import Answers, figures, means
from swiftlet_trainer.tasks.preference.task import PairTask
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.tokens import TokenScores


@dataclass(frozen=True)
class Simpo(PairTask):
    """-log sigmoid of by how much the rewards, beta x log p per token, differ beyond gamma; and cpoAlpha times -log p
    of the chosen answer per token. Source: arXiv:2405.14734, equation 6."""

    block: SimpoTask

    def loss(self, scores: TokenScores, batch: Batch) -> StepLoss:
        per_token, block = means(scores, batch), self.block
        rewards = Answers(block.beta * per_token.chosen, block.beta * per_token.rejected)
        each = smoothed(rewards.margin - block.simpo_gamma, block.label_smoothing)
        return StepLoss((each - block.cpo_alpha * per_token.chosen).sum(), figures(rewards))


def task(document: TrainDocument) -> Simpo:
    """Of a document with the block task.simpo."""
    assert document.task.simpo  # noqa: S101
    return Simpo(document.task.simpo)
