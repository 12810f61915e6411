"""Failures that a person reads: what happened, and the next step."""

from swiftlet.cli import exitcodes


class CommandError(Exception):
    """Ends the command with a message on stderr. `code` is the exit code."""

    def __init__(self, message: str, code: int = exitcodes.FAILED) -> None:
        super().__init__(message)
        self.code = code
