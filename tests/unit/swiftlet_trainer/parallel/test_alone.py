"""A run of one process."""

import subprocess
import sys

STOPPED_WHILE_IT_STARTS = """
import os, signal, subprocess, sys
from swiftlet_trainer.parallel import alone

start = subprocess.Popen

def stopped(command, **named):
    os.kill(os.getpid(), signal.SIGTERM)
    return start([sys.executable, "-c", "import time; time.sleep(20)"], **named)

subprocess.Popen = stopped
failure = alone.run_alone("job.json")
print(failure and (failure.reason, failure.exit_code))
"""


def test_a_signal_that_comes_before_the_process_is_there_reaches_it() -> None:
    """In a process of its own: signals go to all children."""
    run = [sys.executable, "-c", STOPPED_WHILE_IT_STARTS]
    done = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "('Terminated', 143)\n"
