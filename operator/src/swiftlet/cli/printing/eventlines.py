"""Events as lines, each once."""

from typing import Protocol

from swiftlet.api import KINDS
from swiftlet.cli.printing.figures import one_line
from swiftlet.local.notices import Notice, ProgressNotice, Trouble
from swiftlet.local.store import Store


class Speaker(Protocol):
    """Takes lines."""

    def say(self, text: str, warning: bool = False) -> None:
        """One line that stays."""


class EventLines:
    """Hears the engine and says what a person should know: events of our kinds, warnings of their children, trouble."""

    def __init__(self, store: Store, speaker: Speaker) -> None:
        self._store = store
        self._speaker = speaker
        self._said: set[str] = set()

    def hear(self, notice: Notice) -> None:
        """Take one notice of the engine."""
        if isinstance(notice, ProgressNotice):
            return
        if isinstance(notice, Trouble):
            self._once(notice.message, warning=True)
            return
        event = notice.object
        if event["kind"] != "Event" or notice.type != "ADDED":
            return
        about, warning = event["involvedObject"], event["type"] == "Warning"
        if about["kind"] in KINDS or warning:
            name = f"{about['kind'].lower()}/{about['name']}"
            message = one_line(event["message"])
            self._once(f"{name:<24} {event['reason']}" + (f": {message}" if message else ""), warning)

    def _once(self, text: str, warning: bool) -> None:
        if text not in self._said:
            self._said.add(text)
            self._speaker.say(text, warning)
