"""One training process: `python -m swiftlet_trainer.training.worker --job FILE`, started by torchrun."""

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Sequence

from swiftlet.wire.documents import JOB_FILE
from swiftlet.wire.messages import EXIT_ERROR, EXIT_OK

from swiftlet_trainer.garbage import collect_rarely
from swiftlet_trainer.progress_post import flush
from swiftlet_trainer.training.stopping import StopRequest


def main(argv: Sequence[str] | None = None) -> int:
    """Train; returns the exit code (swiftlet.wire.messages). A failure is left where the parent process finds it."""
    parser = argparse.ArgumentParser(prog="python -m swiftlet_trainer.training.worker")
    parser.add_argument("--job", default=JOB_FILE, metavar="FILE")
    parsed = parser.parse_args(argv)
    collect_rarely()
    stop = StopRequest()
    stop.listen()
    from swiftlet_trainer.parallel.errors import write_failure

    try:
        from swiftlet_trainer.training.run import run_training

        run_training(parsed.job, stop)
    except Exception as error:
        # PyTorch raises at each death of a data worker, wherever this process is: a second one would end it in here.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        traceback.print_exc()
        return write_failure(error).exit_code or EXIT_ERROR
    return EXIT_OK


def leave(code: int) -> None:
    """End the process at once. Destructors of process groups wait for peers that may be gone."""
    flush()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(main())
