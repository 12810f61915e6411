"""The losses of classifiers, as transformers has them (loss.loss_utils, ForSequenceClassificationLoss)."""

from collections.abc import Callable, Mapping

import torch
from swiftlet.api.v1alpha1.tasks.block import ProblemType
from torch.nn import functional


def _single(scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """-log softmax at the class."""
    return functional.cross_entropy(scores, targets.squeeze(-1).long(), reduction="none")


def _multi(scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """-log sigmoid of each class that the text is of, and of the opposite of the others: their mean."""
    return functional.binary_cross_entropy_with_logits(scores, targets, reduction="none").mean(-1)


def _regression(scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The squared error, mean over figures."""
    return (scores - targets).square().mean(-1)


LOSSES: Mapping[ProblemType, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "single_label_classification": _single,
    "multi_label_classification": _multi,
    "regression": _regression,
}
"""Of each text, (sequences,), from scores and targets: fp32, (sequences, labels), or (sequences, 1) for ids."""


def _is_class(scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Whether the class has the highest score."""
    return scores.argmax(-1).eq(targets.squeeze(-1))


def _are_classes(scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Whether the classes are likelier than not, and no others."""
    return scores.gt(0).eq(targets.bool()).all(-1)


RIGHT: Mapping[ProblemType, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "single_label_classification": _is_class,
    "multi_label_classification": _are_classes,
}
"""Of each text, bool, (sequences,), from the same; figures have no class."""
