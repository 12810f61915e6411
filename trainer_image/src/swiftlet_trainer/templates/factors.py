"""From weights of characters to weights of tokens.

An answer goes through the tokenizer as a whole, as inference writes it, so that a token may lie across the border of
two pieces. It has the weight of the first of its characters that is not blank, and if all are, of its first.
"""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Piece = tuple[int, int, float]
"""Half-open range of characters, and what the weights of its tokens are multiplied by."""
Floats = NDArray[np.float64]
_BLANKS = np.array([chr(code).isspace() for code in range(0x3002)])
"""Of characters up to the last that is blank (U+3000), and of one that stands for all others."""


class Characters:
    """The characters of a text, each with its factor; texts that are made of it keep them."""

    def __init__(self, text: str, pieces: Sequence[Piece]) -> None:
        """pieces: those whose factors are not 1; where they overlap factors multiply."""
        self._factors = np.ones(len(text))
        for start, end, factor in pieces:
            self._factors[start:end] *= factor
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        self._blank = _BLANKS[np.minimum(codes, len(_BLANKS) - 1)]

    def insert(self, cuts: Sequence[tuple[int, str]]) -> None:
        """Put texts in at places, in order; they count as blank."""
        places = [place for place, put in cuts for _ in put]
        self._factors = np.insert(self._factors, places, 1.0)
        self._blank = np.insert(self._blank, places, True)

    def stretch(self, widths: Sequence[int]) -> None:
        """Write each character `widths` times: 0 leaves it out."""
        self._factors, self._blank = np.repeat(self._factors, widths), np.repeat(self._blank, widths)

    def of_tokens(self, offsets: Sequence[tuple[int, int]]) -> Floats:
        """The factor of each token. offsets: the characters that each is made of, half-open."""
        size = len(self._factors)
        # Of each place, the first that is not blank from there on; np.minimum.accumulate from behind.
        following = np.where(self._blank, size, np.arange(size))[::-1]
        following = np.append(np.minimum.accumulate(following)[::-1], size)
        starts, ends = np.fromiter(chain.from_iterable(offsets), np.int64, 2 * len(offsets)).reshape(-1, 2).T
        places = np.where(following[starts] < ends, following[starts], starts)
        found: Floats = np.append(self._factors, 1.0)[places]
        return found
