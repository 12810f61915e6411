"""A wire between a client and a real server on which faults can be set: bytes pass as they are, or do not."""

import contextlib
import socket
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

BUSY = (
    b"HTTP/1.1 503 Slow Down\r\ncontent-type: application/xml\r\ncontent-length: 56\r\nconnection: close\r\n\r\n"
    b"<Error><Code>SlowDown</Code><Message>x</Message></Error>"
)


@dataclass
class Fault:
    """For the next `times` connections."""

    times: int
    answer: bytes = b""
    """Sent instead of the server's."""
    cut_after: int | None = None
    """Bytes of the server's answer, after which the connection ends."""
    hangs: bool = False
    """Nothing is answered, and the connection stays."""


class Relay:
    """Listens on a port of its own for the server on `port` of this machine, one request a connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self._open: list[socket.socket] = []
        self.connections = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def set(self, fault: Fault | None) -> None:
        """What happens from now on."""
        with self._lock:
            self._fault, self.connections = fault, 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (self._listener, *self._open):
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client, self._next()), daemon=True).start()

    def _next(self) -> Fault | None:
        with self._lock:
            self.connections += 1
            if self._fault and self._fault.times > 0:
                self._fault.times -= 1
                return self._fault
            return None

    def _serve(self, client: socket.socket, fault: Fault | None) -> None:
        with contextlib.suppress(OSError):
            if fault and fault.hangs:
                return
            if fault and fault.answer:
                client.recv(1 << 16)
                client.sendall(fault.answer)
                client.close()
                return
            with socket.create_connection(("127.0.0.1", self._port)) as server:
                threading.Thread(target=_pump, args=(client, server, None), daemon=True).start()
                _pump(server, client, fault.cut_after if fault else None)
            client.close()


def _pump(source: socket.socket, target: socket.socket, most: int | None) -> None:
    """Until the source ends, or `most` bytes have passed."""
    with contextlib.suppress(OSError):
        while content := source.recv(1 << 16 if most is None else min(most, 1 << 16)):
            target.sendall(content)
            if most is not None:
                most -= len(content)
                if most <= 0:
                    return
