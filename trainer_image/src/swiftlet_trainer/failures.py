"""How a verb fails: exceptions with exit codes, and the termination message that tells the control plane why."""

import errno
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, ParamSpec

from swiftlet.api.v1alpha1.finetunejob_status import DatasetCounts, Failure
from swiftlet.wire.figures import tabled
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

Arguments = ParamSpec("Arguments")

MAX_PROBLEMS = 20
"""Problems that a message lists before `and N more`."""
CUT = "…"
VERSION_VARIABLE = "SWIFTLET_WIRE_VERSION"


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


class Unforeseen(TrainerError):  # noqa: N818
    """An error of Python while data was read or checked: the same input fails again, so that it is never retried."""

    exit_code = EXIT_INVALID


@contextmanager
def never_retried() -> Iterator[None]:
    """Within, an error that only the input can have caused ends as Unforeseen. What may pass by itself (files, network,
    memory) stays what it is."""
    try:
        yield
    except (TrainerError, OSError, MemoryError):
        raise
    except Exception as error:
        raise Unforeseen(f"{type(error).__name__}: {error}") from error


class Diverged(TrainerError):  # noqa: N818
    """The loss, or the logits of a model that is evaluated, became NaN or infinite. Never retried."""

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
    if isinstance(error, Unforeseen) and error.__cause__:
        found = failure_of(error.__cause__)
        return found.model_copy(update={"exit_code": error.exit_code})
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

    What does not fit is cut: the head of the traceback first, then the tail of the failure's message; the full text of
    a failure is in the pod's log. Figures become a table, which fits; were even that too long, `truncated` says so.
    Last lines take what room there is then.
    """
    path = in_pod(TERMINATION_LOG)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(message))


def encoded(message: TerminationMessage) -> bytes:
    """`message` as JSON of at most TERMINATION_LIMIT bytes."""
    message = TerminationMessage.model_validate(_readable(message.model_dump(mode="json", by_alias=True)))
    lines, message.last_lines = message.last_lines, None
    if not _news_is_read():
        message.measured = None
    failure = message.failure
    if failure and failure.traceback:
        text = failure.traceback
        failure.traceback = _fitted(message, len(text), lambda size: _set(failure, "traceback", _tail(text, size)))
    if failure and failure.message:
        words = failure.message
        failure.message = _fitted(message, len(words), lambda size: _set(failure, "message", _head(words, size))) or ""
    if len(_json(message)) > TERMINATION_LIMIT and message.results:
        _tabulate(message)
    if lines and _news_is_read():
        message.last_lines = _fitted(message, len(lines), lambda size: _set(message, "last_lines", _tail(lines, size)))
    return _json(message)


def _tabulate(message: TerminationMessage) -> None:
    """Put the figures into a table, all of them if they fit; comparisons are left out before figures are."""
    results, comparison = message.results, message.comparison
    if not _news_is_read():
        for items in (comparison, results):
            while items and len(_json(message)) > TERMINATION_LIMIT:
                items.pop()
        return
    message.results, message.comparison = [], []
    while True:
        message.figures = tabled(results, comparison)
        if len(_json(message)) <= TERMINATION_LIMIT or not results:
            return
        left_out: Literal["comparison", "results"] = "comparison" if comparison else "results"
        if left_out not in message.truncated:
            message.truncated.append(left_out)
        if comparison:
            comparison = []
        else:
            results = results[:-1]


def _news_is_read() -> bool:
    """Whether the control plane reads what came after 1.0; the operator of 0.1.0 refuses what it does not know."""
    return VERSION_VARIABLE in os.environ


def _readable(value: Any) -> Any:
    """`value` with what UTF-8 has no bytes for (names of files, from os.fsdecode) written as an escape."""
    if isinstance(value, dict):
        return {_readable(key): _readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def reporting(verb: Callable[Arguments, int]) -> Callable[Arguments, int]:
    """`verb` with its exceptions turned into a termination message, readable lines on stderr, and an exit code."""

    def run(*given: Arguments.args, **named: Arguments.kwargs) -> int:
        try:
            return verb(*given, **named)
        except Exception as error:
            failure = failure_of(error)
            dataset = error.dataset if isinstance(error, InvalidInput) else None
            sys.stderr.write(failure.traceback or f"{failure.reason}:\n{failure.message}\n")
            try:
                write_termination(TerminationMessage(failure=failure, dataset=dataset))
            except OSError as unwritten:  # the exit code says whether another attempt is worth it, and must not change
                sys.stderr.write(f"the termination message cannot be written: {unwritten}\n")
            return failure.exit_code or EXIT_ERROR

    return run


def _json(message: TerminationMessage) -> bytes:
    return json.dumps(message.document(), separators=(",", ":"), ensure_ascii=False).encode()


def _set(told: Failure | TerminationMessage, field: str, text: str) -> str:
    setattr(told, field, text)
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
