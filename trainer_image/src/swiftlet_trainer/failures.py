"""How a verb fails: exceptions with exit codes, and the termination message that tells the control plane why."""

import errno
import sys
import traceback
from collections.abc import Callable, Sequence

from swiftlet.api.finetunejob import DatasetCounts, Failure
from swiftlet.wire.messages import (
    EXIT_DIVERGED,
    EXIT_ERROR,
    EXIT_INVALID,
    EXIT_TERMINATED,
    TERMINATION_LIMIT,
    TERMINATION_LOG,
    TerminationMessage,
)

from swiftlet_trainer.paths import in_pod

MAX_PROBLEMS = 20
"""Problems that a message lists before `and N more`."""
CUT = "…"


class TrainerError(Exception):
    """A failure with a known cause: its text is enough, a traceback would only hide it."""

    exit_code = EXIT_ERROR
    reason = "Error"


class InvalidInput(TrainerError):  # noqa: N818 - says what it is
    """The document, the data or the model cannot be used. Never retried.

    problems: one line each, `where: what; remedy`. dataset: what became of the rows, when they were read.
    """

    exit_code = EXIT_INVALID
    reason = "InvalidInput"

    def __init__(self, problems: Sequence[str], dataset: DatasetCounts | None = None) -> None:
        self.problems = list(problems)
        self.dataset = dataset
        super().__init__(listed(self.problems))


class Diverged(TrainerError):  # noqa: N818
    """The loss became NaN or infinite. Never retried."""

    exit_code = EXIT_DIVERGED
    reason = "Diverged"


class Terminated(TrainerError):  # noqa: N818
    """SIGTERM, after what had to be saved was saved."""

    exit_code = EXIT_TERMINATED
    reason = "Terminated"


def listed(problems: Sequence[str]) -> str:
    """The problems, one a line: the first MAX_PROBLEMS, then how many more there are."""
    rest = len(problems) - MAX_PROBLEMS
    return "\n".join([*problems[:MAX_PROBLEMS], *([f"and {rest} more"] if rest > 0 else [])])


def failure_of(error: BaseException) -> Failure:
    """What the control plane is told about `error`; the traceback is left out where the message is the cause."""
    if isinstance(error, TrainerError):
        return Failure(reason=error.reason, message=str(error), exit_code=error.exit_code)
    reason, message = type(error).__name__, f"{type(error).__name__}: {error}"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason = "DiskFull"
        message = f"no space left for {error.filename or 'a file'}; enlarge the volume or keep fewer checkpoints"
    frames = "".join(traceback.format_exception(error))
    return Failure(reason=reason, message=message, exit_code=EXIT_ERROR, traceback=frames)


def write_termination(message: TerminationMessage) -> None:
    """Leave `message` in the termination log, at most TERMINATION_LIMIT bytes and always valid JSON.

    What does not fit is cut: the head of the traceback first, then the tail of the failure's message, then the last
    comparisons and results; the full text of a failure is in the pod's log.
    """
    path = in_pod(TERMINATION_LOG)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(message))


def encoded(message: TerminationMessage) -> bytes:
    """`message` as JSON of at most TERMINATION_LIMIT bytes."""
    message = message.model_copy(deep=True)
    failure = message.failure
    if failure and failure.traceback:
        text = failure.traceback
        failure.traceback = _fitted(message, len(text), lambda size: _set(failure, "traceback", _tail(text, size)))
    if failure and failure.message:
        words = failure.message
        failure.message = _fitted(message, len(words), lambda size: _set(failure, "message", _head(words, size))) or ""
    for items in (message.comparison, message.results):
        while items and len(_json(message)) > TERMINATION_LIMIT:
            items.pop()
    return _json(message)


def reporting(verb: Callable[[str], int]) -> Callable[[str], int]:
    """`verb` with its exceptions turned into a termination message, readable lines on stderr, and an exit code."""

    def run(job_path: str) -> int:
        try:
            return verb(job_path)
        except Exception as error:
            failure = failure_of(error)
            dataset = error.dataset if isinstance(error, InvalidInput) else None
            sys.stderr.write(failure.traceback or f"{failure.reason}:\n{failure.message}\n")
            write_termination(TerminationMessage(failure=failure, dataset=dataset))
            return failure.exit_code or EXIT_ERROR

    return run


def _json(message: TerminationMessage) -> bytes:
    return message.model_dump_json(by_alias=True, exclude_none=True).encode()


def _set(failure: Failure, field: str, text: str) -> str:
    setattr(failure, field, text)
    return text


def _tail(text: str, size: int) -> str:
    return text if size >= len(text) else (CUT + text[len(text) - size :] if size else "")


def _head(text: str, size: int) -> str:
    return text if size >= len(text) else (text[:size] + CUT if size else "")


def _fitted(message: TerminationMessage, longest: int, cut: Callable[[int], str]) -> str | None:
    """The longest text by `cut(size)` with which `message` fits, found by bisection; None when even none of it does."""
    if not (cut(longest) and len(_json(message)) > TERMINATION_LIMIT):
        return cut(longest)
    low, high = 0, longest
    while low < high:
        middle = (low + high + 1) // 2
        cut(middle)
        low, high = (middle, high) if len(_json(message)) <= TERMINATION_LIMIT else (low, middle - 1)
    return cut(low) or None
