"""Kahneman-Tversky optimization as the trainer sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from swiftlet.api.v1alpha1.tasks.kto import KtoTask
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.tasks.base import StepLoss
from swiftlet_trainer.tasks.kto.loss import loss
from swiftlet_trainer.tasks.preference.scores import summed
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.tokens import NOTHING, TokenScores, Want


@dataclass(frozen=True)
class Kto:
    """Losses of single answers' log-ratios, see tasks.kto.loss."""

    block: KtoTask
    items: Literal["tokens", "groups"] = "groups"
    is_linear: bool = False
    want: Want = NOTHING
    has_reference: bool = True
    smoothing: float = 0.0
    head: None = None
    figures: tuple[str, ...] = ("rewards_chosen", "rewards_rejected", "good", "kl")

    @property
    def has_baseline(self) -> bool:
        return self.block.mismatches

    def likelihoods(self, scores: TokenScores, batch: Batch) -> torch.Tensor:
        """log p of each sequence's answer, (sequences,)."""
        return summed(scores.logprob, batch)

    def baseline(self, scores: TokenScores, batch: Batch) -> torch.Tensor:
        """The log-ratios of answers to other prompts, summed."""
        return (self.likelihoods(scores, batch) - batch["reference"]).sum()

    def loss(self, scores: TokenScores, batch: Batch) -> StepLoss:
        ratios = self.likelihoods(scores, batch) - batch["reference"]
        is_good = batch["targets"].squeeze(-1).bool()
        point = batch["baseline"].clamp(min=0) if self.has_baseline else ratios.new_zeros(())
        rewards, good = self.block.beta * ratios.detach(), is_good.float()
        found = (rewards * good, rewards * (1 - good), good, point.expand_as(good))
        figures = {name: each.sum() for name, each in zip(self.figures, found, strict=True)}
        return StepLoss(loss(ratios, is_good, point, self.block).sum(), figures)

    def told(self, means: Mapping[str, float]) -> dict[str, float]:
        """Rewards as means over the rows of a kind, where there are any, and their difference."""
        shares = {"rewards_chosen": means["good"], "rewards_rejected": 1 - means["good"]}
        found = {name: means[name] / share for name, share in shares.items() if share}
        if len(found) == len(shares):
            found["rewards_margins"] = found["rewards_chosen"] - found["rewards_rejected"]
        return {**found, "kl": means["kl"]} if self.has_baseline else found


def task(document: TrainDocument) -> Kto:
    """Of a document with the block task.kto."""
    assert document.task.kto  # noqa: S101
    return Kto(document.task.kto)
