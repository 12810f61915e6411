"""When a server of this machine can be asked."""

import socket
import time
from dataclasses import dataclass

from testbed.errors import TestBedError
from testbed.processes import Process


@dataclass(frozen=True)
class Place:
    """Where a server listens: an address, and what its command begins with to be where that is."""

    address: str
    prefix: tuple[str, ...] = ()


LOOPBACK = Place("127.0.0.1")


def wait_for(process: Process, port: int, seconds: float = 30, address: str = LOOPBACK.address) -> None:
    """Return when the process listens on the port. Raises TestBedError with its last words when it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.running:
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TestBedError(f"{process.name} does not listen on {port}: {process.log.read_text()[-2000:]}")
