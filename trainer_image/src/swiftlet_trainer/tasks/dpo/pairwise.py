"""DPO whose loss is a sum over pairs, each by itself."""

from dataclasses import dataclass

import torch
from swiftlet.api.v1alpha1.tasks.dpo import DpoTask

from swiftlet_trainer.tasks.base import StepLoss
from swiftlet_trainer.tasks.dpo.loss import Compared, divergent, loss
from swiftlet_trainer.tasks.preference.scores import Answers, figures, lengths, pairs, summed
from swiftlet_trainer.tasks.preference.task import PairTask
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.tokens import TokenScores, Want


@dataclass(frozen=True)
class Dpo(PairTask):
    """Losses of log-ratios, see tasks.dpo.loss."""

    block: DpoTask

    @property
    def want(self) -> Want:
        return frozenset({"log_sum_sq"} if self.block.use_weighting else ())

    @property
    def has_reference(self) -> bool:
        return not self.block.reference_free

    def likelihoods(self, scores: TokenScores, batch: Batch) -> torch.Tensor:
        """log p of each sequence's answer, (sequences,)."""
        if self.block.ld_alpha is None:
            return summed(scores.logprob, batch)
        return summed(scores.logprob * _length_weights(batch, self.block.ld_alpha), batch)

    def loss(self, scores: TokenScores, batch: Batch) -> StepLoss:
        likelihoods, tokens = self.likelihoods(scores, batch), lengths(batch)
        ratios = pairs(likelihoods - batch["reference"] if self.has_reference else likelihoods)
        nll = pairs(-summed(scores.logprob, batch) / tokens).chosen
        compared = Compared(ratios, divergent(ratios, self.block), pairs(tokens), nll)
        each = loss(compared, self.block)
        if self.block.use_weighting:
            each = each * _how_likely(scores, batch, tokens)
        if self.block.rpo_alpha is not None:
            each = each + self.block.rpo_alpha * nll
        rewards = Answers(self.block.beta * ratios.chosen, self.block.beta * ratios.rejected)
        return StepLoss(each.sum(), figures(rewards))


def _length_weights(batch: Batch, alpha: float) -> torch.Tensor:
    """1 for the tokens of an answer up to the length of the shorter of the two, alpha for those beyond: fp32, (N,).

    Source: LD-DPO, arXiv:2409.06411.
    """
    tokens = lengths(batch)
    shorter = tokens.view(-1, 2).amin(-1).repeat_interleave(2)
    first = tokens.cumsum(0) - tokens
    place = torch.arange(len(batch["sequence"]), device=tokens.device) - first[batch["sequence"]]
    return torch.where(place < shorter[batch["sequence"]], 1.0, alpha)


def _how_likely(scores: TokenScores, batch: Batch, tokens: torch.Tensor) -> torch.Tensor:
    """Weights of pairs, (P,): the product of both answers' mean probabilities, each token's as a share of what the
    model expects of itself. Source: WPO, arXiv:2406.11827, equation 2 with aligned weights."""
    assert scores.log_sum_sq is not None  # noqa: S101
    of_answers = pairs(summed(scores.logprob.detach() - scores.log_sum_sq, batch) / tokens)
    return torch.exp(of_answers.chosen + of_answers.rejected)
