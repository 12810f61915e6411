"""What a person reads when a command fails."""

import os
import sys
import traceback

from swiftlet.api.schema.problems import InvalidDocuments
from swiftlet.cli import exitcodes
from swiftlet.cli.errors import CommandError
from swiftlet.cluster.errors import ClusterError
from swiftlet.local.lock import StateLockedError


def complain(error: Exception) -> int:
    """Print the failure to stderr and return the exit code. What is not foreseen is a defect: it gets a traceback."""
    if isinstance(error, InvalidDocuments):
        print(problems_text(error), file=sys.stderr)
        return exitcodes.INVALID
    if isinstance(error, CommandError):
        print(f"error: {error}", file=sys.stderr)
        return error.code
    if isinstance(error, ClusterError):
        print(f"error: {error}", file=sys.stderr)
        return exitcodes.FAILED
    if isinstance(error, StateLockedError):
        print(f"error: {error}", file=sys.stderr)
        return exitcodes.BUSY
    if isinstance(error, OSError) and not os.environ.get("SWIFTLET_DEBUG"):
        print(f"error: {error.filename or 'the system'}: {error.strerror or error}", file=sys.stderr)
        return exitcodes.FAILED
    traceback.print_exception(error)
    print("error: this is a defect of swiftlet; please report it with the lines above", file=sys.stderr)
    return exitcodes.FAILED


def problems_text(error: InvalidDocuments) -> str:
    """Every problem on a line of its own, and how many there are."""
    count = len(error.problems)
    lines = [str(problem) for problem in error.problems]
    return "\n".join([*lines, f"{count} problem{'s' if count != 1 else ''}; nothing was started"])
