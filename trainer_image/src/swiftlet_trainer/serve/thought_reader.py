"""What an answer thinks before it says something, told from its text while it comes."""

from typing import Literal

from swiftlet_trainer.templates.agents.template import BEGIN_OF_THOUGHT, END_OF_THOUGHT
from swiftlet_trainer.templates.stops import overlap

Thinks = Literal["no", "may", "opened"]
"""Whether an answer begins with a thought: not known as one, where it begins with the mark, or its prompt had that."""


class ThoughtReader:
    """Tells thoughts from what is said. Blanks beside the marks belong to neither."""

    def __init__(self, thinks: Thinks = "no") -> None:
        self._held, self._state = "", {"no": "says", "may": "begins", "opened": "thinks"}[thinks]
        self._is_behind_mark = thinks == "opened"

    def push(self, text: str) -> tuple[str, str]:
        """(thought, said): what can be shown after `text` came in."""
        self._held += text
        if self._state == "begins":
            begin = self._held.lstrip()
            if BEGIN_OF_THOUGHT.startswith(begin) and begin != BEGIN_OF_THOUGHT:
                return "", ""
            self._state = "says"
            if begin.startswith(BEGIN_OF_THOUGHT):
                self._enter("thinks", begin.removeprefix(BEGIN_OF_THOUGHT))
        thought = self._thought() if self._state == "thinks" else ""
        return thought, self._taken(len(self._held)) if self._state == "says" else ""

    def rest(self) -> tuple[str, str]:
        """The same of what was held back, when no more comes."""
        held = self._taken(len(self._held))
        return (held.rstrip(), "") if self._state == "thinks" else ("", held)

    def _thought(self) -> str:
        place = self._held.find(END_OF_THOUGHT)
        if place < 0:
            return self._taken(len(self._held[: len(self._held) - overlap(self._held, END_OF_THOUGHT)].rstrip()))
        thought = self._taken(place).rstrip()
        self._enter("says", self._held.removeprefix(END_OF_THOUGHT))
        return thought

    def _enter(self, state: str, held: str) -> None:
        self._state, self._held, self._is_behind_mark = state, held, True

    def _taken(self, size: int) -> str:
        taken, self._held = self._held[:size], self._held[size:]
        if self._is_behind_mark:
            taken = taken.lstrip()
            self._is_behind_mark = not taken
        return taken
