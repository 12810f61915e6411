"""Nothing is scored that is not a number: with NaN every comparison is false, and the first choice would be the best.

The largest logit is finite exactly where softmax gives probabilities: NaN and +inf come through as themselves, and -inf
only when no token is left. Single entries of -inf are tokens that a model never says, such as those that pad its
vocabulary, and are right.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from swiftlet_trainer.failures import Diverged, listed


class NotFiniteError(Exception):
    """Rows (indices of what was asked to be scored) for which the model's logits give no probabilities."""

    def __init__(self, rows: Sequence[int]) -> None:
        self.rows = list(rows)
        super().__init__(f"no probabilities for rows {self.rows}")


@contextmanager
def diverging(subject: str, place_of: Callable[[int], str]) -> Iterator[None]:
    """Within, NotFiniteError becomes Diverged, with the subject and the place of each row."""
    try:
        yield
    except NotFiniteError as error:
        places = list(dict.fromkeys(map(place_of, error.rows)))
        raise Diverged(
            f"{subject}: the model's logits are not finite (NaN or infinite), so that nothing it says can be scored;"
            " train it again with a lower learning rate, or evaluate another checkpoint or the files as they were"
            f" written, should these be damaged. The first rows that it cannot score:\n{listed(places)}"
        ) from None


def finite_logits(rows: Sequence[int], width: int, stops: Sequence[int]) -> Callable[[Any, Any], Any]:
    """A logits processor that changes nothing, and raises NotFiniteError where a token would be chosen by NaN.

    rows: the batch. width: tokens of the padded prompts. stops: an answer that has ended chooses no more.
    """
    ends = torch.tensor(stops)

    def check(ids: Any, scores: Any) -> Any:
        bad = ~scores.amax(dim=-1).isfinite()
        if bad.any():
            bad &= ~torch.isin(ids[:, width:], ends.to(ids.device)).any(dim=-1)
            if found := [row for row, is_bad in zip(rows, bad.tolist(), strict=True) if is_bad]:
                raise NotFiniteError(found)
        return scores

    return check


def require_numbers(rows: Sequence[int], sums: Sequence[float]) -> None:
    """Raise NotFiniteError for rows whose log-likelihood is NaN. An infinite one is a token of probability zero."""
    if found := [row for row, total in zip(rows, sums, strict=True) if math.isnan(total)]:
        raise NotFiniteError(found)
