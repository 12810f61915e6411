"""Which rows of a data set one epoch sees, and which are held out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Share:
    """Row numbers (from 0) of one data set."""

    train: Indices
    evaluation: Indices


def share(rows: int, sample: int | None, weight: float, eval_fraction: float, is_eval: bool, seed: list[int]) -> Share:
    """What one epoch takes of a data set of `rows` usable rows.

    1. base: `sample` rows drawn without replacement, or all of them when there is no `sample` or there are fewer.
    2. evaluation: round(eval_fraction * |base|) of base, never all of it, and never seen in training.
    3. train: round(weight * wanted) rows of the rest, where wanted is its share of `sample` (or its own size): every
       row floor(times) times, and the remainder drawn without replacement. The draw is the same in every epoch.

    A data set of `split: eval` (is_eval) goes to the evaluation as a whole: step 1 and step 3 with it.
    The result depends on `seed` and the numbers given, and on nothing else.
    """
    generator = np.random.default_rng(seed)
    base = generator.permutation(rows)[: min(sample or rows, rows)]
    if sample is None or sample >= rows:
        base = np.sort(base) if eval_fraction == 0 or is_eval else base
    held = 0 if is_eval else min(round(eval_fraction * len(base)), max(len(base) - 1, 0))
    evaluation, rest = np.sort(base[:held]), np.sort(base[held:])
    if len(rest) == 0:
        return Share(rest, evaluation)
    wanted = (sample or rows) * len(rest) / len(base)
    chosen = _drawn(rest, max(1, round(weight * wanted)), generator)
    return Share(evaluation, chosen) if is_eval else Share(chosen, evaluation)


def _drawn(rows: Indices, count: int, generator: np.random.Generator) -> Indices:
    """`count` rows: each as often as it goes in whole, then the remainder at random, in order."""
    times, remainder = divmod(count, len(rows))
    extra = np.sort(generator.permutation(rows)[:remainder])
    return np.concatenate([np.tile(rows, times), extra])
