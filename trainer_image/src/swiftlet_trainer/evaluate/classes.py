"""Labelled texts as a model that scores them reads them, and what it makes of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from swiftlet_trainer.data.encode import DroppedError
from swiftlet_trainer.data.examples import Example, Labelled
from swiftlet_trainer.data.labelled import targets_of
from swiftlet_trainer.evaluate.rows import UnusableRowError
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.scores import ScoreHead
from swiftlet_trainer.tasks.seq_cls.rows import LabelledRows
from swiftlet_trainer.templates.prompt_template import UnsuitableTemplateError
from swiftlet_trainer.templates.segments import Segments, UnencodableError


@dataclass(frozen=True)
class Classified:
    """A text's tokens, and what is to come out: 1 or 0 for each class, or its figures."""

    ids: list[int]
    expected: list[float]


def scored_encoder(tokenizer: Any, head: ScoreHead) -> Callable[[Example], list[int]]:
    """A function from a text or conversation to its tokens, as training has them, up to the one that is scored. The
    function raises UnusableRowError, and InvalidInput where the chat template cannot be used at all."""
    segments = Segments(tokenizer)
    rows = LabelledRows(tokenizer, segments, head)

    def encode(example: Example) -> list[int]:
        try:
            rendered = rows.unlabelled(example)
        except DroppedError as error:
            raise UnusableRowError(str(error)) from None
        except UnsuitableTemplateError as error:
            raise InvalidInput([str(error)]) from None
        (parts,) = segments.encode([rendered])
        if isinstance(parts, UnencodableError):
            raise UnusableRowError(f"{parts}; write it otherwise")
        return rows.labelled(parts, rendered).input_ids

    return encode


def class_encoder(tokenizer: Any, head: ScoreHead, max_length: int) -> Callable[[Labelled], Classified]:
    """A function from a row to its first `max_length` tokens, as training has them, and what is to come out. The
    function raises UnusableRowError, for a label that the model does not know too."""
    encode = scored_encoder(tokenizer, head)

    def classified(row: Labelled) -> Classified:
        targets = targets_of(row.label, head.labels, head.problem_type)
        return Classified(encode(row.example)[:max_length], _expected(targets, head))

    return classified


def _expected(targets: Sequence[float], head: ScoreHead) -> list[float]:
    if head.problem_type == "single_label_classification":
        return _only(int(targets[0]), head)
    return list(targets)


def predicted(scores: Sequence[float], head: ScoreHead) -> list[float]:
    """The scores where they are figures; else 1 for the class with the highest score or, where a text may have several,
    for all that are likelier than not, and 0 for others."""
    if head.problem_type == "regression":
        return list(scores)
    if head.problem_type == "single_label_classification":
        return _only(scores.index(max(scores)), head)
    return [float(score > 0) for score in scores]


def probabilities(scores: torch.Tensor, head: ScoreHead) -> torch.Tensor:
    """Of each class, from the scores of texts, (texts, labels): together 1, or each by itself where a text may have
    several. Figures stay as they are. As transformers' losses take them."""
    if head.problem_type == "single_label_classification":
        return scores.softmax(-1)
    return scores.sigmoid() if head.problem_type == "multi_label_classification" else scores


def said(values: Sequence[float], head: ScoreHead) -> str:
    """What is expected or predicted, for people."""
    if head.problem_type == "regression":
        return ", ".join(f"{value:.6g}" for value in values)
    return ", ".join(name for name, value in zip(head.labels, values, strict=True) if value)


def _only(number: int, head: ScoreHead) -> list[float]:
    return [float(index == number) for index in range(len(head.labels))]
