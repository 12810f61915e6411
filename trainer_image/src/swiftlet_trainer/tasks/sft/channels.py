"""The loss of each channel of rows, beside that of all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch

from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.tokens import TokenScores

LOSS, TOKENS = "channel_loss/", "channel_tokens/"
"""What the names of their figures begin with."""


def figure_names(channels: Sequence[str]) -> tuple[str, ...]:
    """Of what is summed for each channel: losses, and the tokens that they are of."""
    return tuple(f"{kind}{name}" for kind in (LOSS, TOKENS) for name in channels)


@torch.no_grad()
def channel_sums(
    loss: Callable[[TokenScores], torch.Tensor], scores: TokenScores, batch: Batch, channels: Sequence[str]
) -> dict[str, torch.Tensor]:
    """By the names of `figure_names`: fp32 scalars. loss: summed over tokens, each times its weight. The batch's
    targets are the number of each group's channel."""
    of_token = batch["targets"].squeeze(-1)[batch["group"][batch["sequence"]]]
    parts = [of_token.eq(number).float() for number in range(len(channels))]
    weight = 1.0 if scores.weight is None else scores.weight
    losses = [loss(replace(scores, weight=weight * part)) for part in parts]
    return dict(zip(figure_names(channels), [*losses, *(part.sum() for part in parts)], strict=True))


def channel_means(means: Mapping[str, float], channels: Sequence[str]) -> dict[str, float]:
    """The loss per token of each channel that has any. means: of `channel_sums`, over the same items."""
    counted = (name for name in channels if means[TOKENS + name])
    return {name: means[LOSS + name] / means[TOKENS + name] for name in counted}
