import json
import os
import subprocess
import sys
from pathlib import Path

from swiftlet.wire.messages import EXIT_ERROR
from swiftlet_trainer.parallel.errors import ERROR_FILE_VARIABLE, failure_from_file

TWO_DEATHS = """
import os, signal, sys, types
from swiftlet_trainer.parallel import errors
from swiftlet_trainer.training.worker import main

def died(*_):
    raise RuntimeError("the second data worker died")

def run_training(job, stop):
    signal.signal(signal.SIGCHLD, died)
    raise RuntimeError("the first data worker died")

def write_late(error, write=errors.write_failure):
    os.kill(os.getpid(), signal.SIGCHLD)
    return write(error)

run = types.ModuleType("swiftlet_trainer.training.run")
run.run_training = run_training
sys.modules[run.__name__] = run
errors.write_failure = write_late
sys.exit(main([]))
"""


def test_what_dies_while_a_failure_is_written_does_not_take_its_words_away(tmp_path: Path) -> None:
    error = tmp_path / "error.json"
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEATHS],
        env={**os.environ, ERROR_FILE_VARIABLE: str(error)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == EXIT_ERROR, done.stderr
    failure = failure_from_file(json.loads(error.read_text()))
    assert failure is not None and "the first data worker died" in failure.message
