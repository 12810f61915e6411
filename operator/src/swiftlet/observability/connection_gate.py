"""Who may hold connections to a port of ours, and for how long."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True)
class Limits:
    """Of one port."""

    connections: int
    of_address: int
    """Connections of one address."""
    seconds: float = 20.0
    """From the first byte to the end of a connection, whatever is sent slowly; each carries one request."""


class ConnectionGate:
    """Admits connections. When all places are taken, whoever holds the most gives up the oldest of his."""

    def __init__(self, limits: Limits, make: Callable[[], asyncio.Protocol]) -> None:
        """make: the protocol of an admitted connection."""
        self.limits, self.make = limits, make
        self._held: dict[str, dict[GuardedConnection, None]] = {}
        self._count = 0

    def protocol(self) -> "GuardedConnection":
        """For a connection that is about to be made."""
        return GuardedConnection(self)

    def admit(self, connection: "GuardedConnection") -> bool:
        """Take a place; False when there is none for this address."""
        mine = len(self._held.get(connection.address, ()))
        if mine >= self.limits.of_address:
            return False
        if self._count >= self.limits.connections:
            greediest = max(self._held.values(), key=len)
            if len(greediest) <= mine + 1:
                return False
            next(iter(greediest)).abort()
        self._held.setdefault(connection.address, {})[connection] = None
        self._count += 1
        return True

    def release(self, connection: "GuardedConnection") -> None:
        """Give a place back."""
        held = self._held.get(connection.address, {})
        if held.pop(connection, True) is None:
            self._count -= 1
        if not held:
            self._held.pop(connection.address, None)


class GuardedConnection(asyncio.Protocol):
    """Hands everything on to the protocol behind the gate, once it is admitted."""

    def __init__(self, gate: ConnectionGate) -> None:
        self._gate = gate
        self._inner: asyncio.Protocol | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        if not self._gate.admit(self):
            self._transport.abort()
            return
        self._timer = asyncio.get_running_loop().call_later(self._gate.limits.seconds, self._transport.abort)
        self._inner = self._gate.make()
        self._inner.connection_made(transport)

    def abort(self) -> None:
        """Close the connection at once; its place is free."""
        self._gate.release(self)
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._inner:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._inner else None

    def pause_writing(self) -> None:
        if self._inner:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner:
            self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self._gate.release(self)
        if self._timer:
            self._timer.cancel()
        if self._inner:
            self._inner.connection_lost(error)
