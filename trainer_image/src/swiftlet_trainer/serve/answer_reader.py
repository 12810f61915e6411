"""What an answer thinks, says and calls, told from its text while it comes."""

from swiftlet_trainer.data.tools import ToolCall
from swiftlet_trainer.serve.call_reader import CallReader
from swiftlet_trainer.serve.thought_reader import ThoughtReader


class AnswerReader:
    """Passes on thoughts and texts as they come, and calls at the end. Without readers, all is text."""

    def __init__(self, thoughts: ThoughtReader | None = None, calls: CallReader | None = None) -> None:
        self._thoughts, self._calls = thoughts or ThoughtReader(), calls or CallReader()

    def push(self, text: str) -> tuple[str, str]:
        """(thought, said): what can be shown after `text` came in."""
        thought, said = self._thoughts.push(text)
        return thought, self._calls.push(said)

    def finish(self, is_cut: bool = False) -> tuple[str, str, tuple[ToolCall, ...]]:
        """(thought, said, calls): what was held back, when no more comes. is_cut: by the answer's length."""
        thought, said = self._thoughts.rest()
        shown = self._calls.push(said)
        rest, calls = self._calls.finish(is_cut)
        return thought, shown + rest, calls
