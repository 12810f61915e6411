"""Packing: several rows in one sequence, so that little of a batch is padding."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray


def best_fit_decreasing(lengths: NDArray[np.int64], capacity: int) -> list[list[int]]:
    """Bins of row numbers, the lengths in a bin summing to at most `capacity`; every row is in exactly one bin.

    The longest row first, each into the fullest bin that still takes it (Johnson 1974; for training: arXiv:2404.10830).
    O(n log n + n * capacity / 64): the free spaces in use are the bits of one integer. Raises ValueError for a row
    longer than `capacity`.
    """
    if len(lengths) and int(lengths.max()) > capacity:
        raise ValueError(f"a row of {int(lengths.max())} tokens does not fit into {capacity}")
    bins: list[list[int]] = []
    with_space: defaultdict[int, list[int]] = defaultdict(list)
    spaces = 0
    for row in np.argsort(-lengths, kind="stable").tolist():
        length = int(lengths[row])
        fits = spaces >> length
        if fits:
            space = length + (fits & -fits).bit_length() - 1
            target = with_space[space].pop()
            if not with_space[space]:
                spaces &= ~(1 << space)
        else:
            space, target = capacity, len(bins)
            bins.append([])
        bins[target].append(row)
        with_space[space - length].append(target)
        spaces |= 1 << (space - length)
    return bins
