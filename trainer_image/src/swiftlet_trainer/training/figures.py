"""What is known of a step when it is done."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StepFigures:
    """What a step did."""

    step: int
    loss: float
    """Mean over all labelled tokens of the step's rows, over all processes; natural logarithm."""
    learning_rate: float
    grad_norm: float
    tokens: int
    """Without padding, over all processes."""
    eval_loss: float | None = None
    entropy: float | None = None
    """Of the predictions at the labelled tokens: their mean, in nats. None unless training.tokenMetrics."""
    mean_token_accuracy: float | None = None
    """Share of the labelled tokens that were the likeliest. None unless training.tokenMetrics."""
