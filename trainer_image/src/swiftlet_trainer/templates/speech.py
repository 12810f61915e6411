"""An answer whose tokens come one by one, as text."""

from collections.abc import Collection, Sequence
from typing import Any

from swiftlet_trainer.templates.detokenizer import Detokenizer
from swiftlet_trainer.templates.stops import StopCutter


class Speech:
    """What an answer says up to the first of the texts `stops`. kept: control tokens that are part of what it says;
    those among `stops` are seen, too. tokens: how many have come."""

    def __init__(self, tokenizer: Any, stops: Sequence[str] = (), kept: Collection[str] = ()) -> None:
        self._text, self._cutter = Detokenizer(tokenizer, [*kept, *stops]), StopCutter(stops)
        self.tokens = 0

    @property
    def has_stopped(self) -> bool:
        """Whether a stop text came."""
        return self._cutter.stopped

    def push(self, token: int) -> str:
        """What can be shown after `token` came in."""
        self.tokens += 1
        return self._cutter.push(self._text.push(token))

    def rest(self) -> str:
        """What was held back, when no more tokens come."""
        if self.has_stopped:
            return ""
        shown = self._cutter.push(self._text.rest())
        return shown if self.has_stopped else shown + self._cutter.rest()
