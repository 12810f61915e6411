"""What computes the gradients of all processes and changes the weights by them."""

from pathlib import Path
from typing import Any, Protocol

import torch


class Engine(Protocol):
    """A model that the processes of a run train together. Every method is called on all of them."""

    model: Any
    """Tuned, and not wrapped."""
    wrapped: Any
    """What forward passes go through: hooks that share gradients, or gather weights, are on it."""

    def backward(self, loss: torch.Tensor, last: bool) -> None:
        """Add the gradients of a micro-batch's part of a loss that is a mean over processes. last: of its step."""

    def update(self, learning_rate: float) -> torch.Tensor | float:
        """One step of the optimizer by the mean of the processes' gradients, which are then forgotten.

        Returns their norm before it was clipped.
        """

    def save(self, folder: Path, is_main: bool) -> None:
        """Write what `load` needs to go on from here. is_main: whether this process writes what all have alike."""

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote."""

    def gathered(self) -> dict[str, Any] | None:
        """The weights to save, where processes hold parts of them; else None."""
