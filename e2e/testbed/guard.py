"""A small process beside each bed that ends it when its owner vanishes, even by SIGKILL."""

import os
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from testbed.beds import Bed, abandoned, end, locked


def guard(bed: Bed) -> subprocess.Popen[bytes]:
    """Start the guard of a bed that this process owns. Terminate it once the bed has ended."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-S", "-m", "testbed.guard", str(bed.folder), str(os.getpid())]
    # A session of its own: the Ctrl-C that ends the owner must not end the guard.
    return subprocess.Popen(command, env=environment, start_new_session=True, stdin=subprocess.DEVNULL)


def watch(folder: Path, owner: int) -> None:
    """Wait for the owner's end; then end the bed, unless it has been detached or is gone already."""
    with suppress(ProcessLookupError):  # ended before we looked
        select.select([os.pidfd_open(owner)], [], [])
    with locked():
        if folder in abandoned():
            end(folder)


if __name__ == "__main__":
    watch(Path(sys.argv[1]), int(sys.argv[2]))
