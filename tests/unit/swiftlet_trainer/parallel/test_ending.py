"""What the end of a process says that left no reason."""

import signal

import pytest
from swiftlet.wire.messages import EXIT_ERROR, EXIT_TERMINATED
from swiftlet_trainer.parallel.ending import described


@pytest.mark.parametrize(
    ("code", "reason", "exit_code", "words"),
    [
        (-signal.SIGKILL, "OOMKilled", EXIT_ERROR, "most often out of memory"),
        (-signal.SIGSEGV, "SIGSEGV", EXIT_ERROR, "died of SIGSEGV"),
        (EXIT_TERMINATED, "Terminated", EXIT_TERMINATED, "stopped by SIGTERM"),
        (-signal.SIGTERM, "Terminated", EXIT_TERMINATED, "stopped by SIGTERM"),
        (9, "Error", 9, "exited with code 9 and left no reason"),
    ],
)
def test_processes_that_left_nothing(code: int, reason: str, exit_code: int, words: str) -> None:
    found = described(code, None, rank=5)
    assert (found.rank, found.reason, found.exit_code) == (5, reason, exit_code)
    assert words in found.message
