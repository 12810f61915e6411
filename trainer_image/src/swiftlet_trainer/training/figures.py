"""What is known of a step when it is done."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Told = Mapping[str, float | Mapping[str, float]]
"""What a task tells of items: fields of api.v1alpha1.progress.Progress, some of which have a figure for each of several
names."""


@dataclass(frozen=True)
class StepFigures:
    """What a step did."""

    step: int
    loss: float
    """Mean over all items of the step's rows, over all processes; natural logarithm."""
    learning_rate: float
    grad_norm: float
    tokens: int
    """Without padding, over all processes."""
    flops: float | None = None
    """Operations that the step cannot do without, over all processes; None where they are not known."""
    eval_loss: float | None = None
    of_evaluation: Told = field(default_factory=dict)
    """The task's figures of the rows held out, by the same names, after a step that evaluates."""
    of_task: Told = field(default_factory=dict)
    """Of the step's items."""
