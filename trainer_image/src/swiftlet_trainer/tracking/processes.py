"""The trackers' processes, as the pod that writes the history starts and ends them.

Clients import much, wait for servers and start threads and processes of their own: none of it is in a training process,
and a client that hangs or dies takes nothing along.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field

from swiftlet_trainer.tracking.about import Document, asked_of
from swiftlet_trainer.tracking.tracked_run import Ending

LAST_SECONDS = 30.0
"""For what is left when the attempt is over, of all trackers together."""


@dataclass
class Attempt:
    """Told by the pod how the attempt ended."""

    ending: Ending = field(default=Ending.FAILED)


@contextmanager
def trackers(document: Document, job_path: str, last_seconds: float = LAST_SECONDS) -> Iterator[Attempt]:
    """Feed the trackers of the document while the block runs, which says in the end how the attempt ended."""
    asked = asked_of(document)
    command = [sys.executable, "-m", "swiftlet_trainer.tracking", "--job", job_path, "--kind", type(document).__name__]
    running = {
        name: subprocess.Popen([*command, "--tracker", name], stdin=subprocess.PIPE, text=True)
        for name in (asked.names if asked else ())
    }
    attempt = Attempt()
    try:
        yield attempt
    finally:
        for process in running.values():
            _tell(process, attempt.ending)
        end = time.monotonic() + last_seconds
        for name, process in running.items():
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                sys.stderr.write(f"reportTo.{name}: did not end in {last_seconds:.0f} s; last steps may be missing\n")


def _tell(process: "subprocess.Popen[str]", ending: Ending) -> None:
    """Say how the attempt ended to a process that may be gone."""
    with suppress(OSError), process.stdin or nullcontext() as stream:
        if stream:
            stream.write(ending.value)
