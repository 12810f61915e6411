"""When a server of this machine can be asked."""

import socket
import time

from testbed.errors import TestBedError
from testbed.processes import Process


def wait_for(process: Process, port: int, seconds: float = 30) -> None:
    """Return when the process listens on the port. Raises TestBedError with its last words when it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.running:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TestBedError(f"{process.name} does not listen on {port}: {process.log.read_text()[-2000:]}")
