"""Texts at which an answer stops: neither they nor what is behind them belongs to it."""

from collections.abc import Iterable, Sequence


class StopCutter:
    """Passes text on, except a stop text and all behind it. What may be the beginning of a stop text is held back."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops, self._held = list(stops), ""
        self.stopped = False

    def push(self, text: str) -> str:
        """The text that can be shown after `text` came in."""
        self._held += text
        before = cut(self._held, self._stops)
        if before != self._held:
            self.stopped = True
            return before
        keep = max((overlap(self._held, stop) for stop in self._stops), default=0)
        shown, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return shown

    def rest(self) -> str:
        """What was held back, when no more text comes."""
        return self._held


def cut(text: str, stops: Iterable[str]) -> str:
    """`text` up to the first of the stop texts in it."""
    return text[: min((place for stop in stops if (place := text.find(stop)) >= 0), default=len(text))]


def overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that is a beginning of `stop`, and not all of it."""
    longest = min(len(stop) - 1, len(text))
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
