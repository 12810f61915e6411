"""Cutting a stream of text at the first stop text."""

from collections.abc import Sequence


class StopCutter:
    """Passes text on, except a stop text and all behind it. What may be the beginning of a stop text is held back."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops, self._held = list(stops), ""
        self.stopped = False

    def push(self, text: str) -> str:
        """The text that can be shown after `text` came in."""
        self._held += text
        found = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            return self._held[: min(found)]
        keep = max((overlap(self._held, stop) for stop in self._stops), default=0)
        shown, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return shown

    def rest(self) -> str:
        """What was held back, when no more text comes."""
        return self._held


def overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that is a beginning of `stop`, and not all of it."""
    longest = min(len(stop) - 1, len(text))
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
