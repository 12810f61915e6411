"""Who uses a port of this machine."""

import errno
import socket
from pathlib import Path

import psutil

from swiftlet.kinds.owning.owners import root_of
from swiftlet.local.store import Store


def port_conflict(port: int) -> str | None:
    """What uses a TCP port of the loopback address, in words; None when it is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return f"port {port} cannot be bound: {error.strerror}"
        else:
            return None
    holder = port_holder(port)
    who = "another process"
    if holder:
        command = " ".join(holder.cmdline())[:120]
        who = f"{_resource(holder) or holder.name()} (process {holder.pid}: {command})"
    return f"port {port} is in use by {who}; stop it, or choose another port"


def _resource(process: psutil.Process) -> str | None:
    """The resource whose pod a process is part of, by the root that its container was given; None when it is none."""
    try:
        roots = [Path(each.environ().get("SWIFTLET_ROOT", "")) for each in (process, *process.parents()[:2])]
    except psutil.Error:
        return None
    for root in roots:
        match root.parts[-5:]:
            case ("pods", namespace, pod, "roots", _):
                state = root.parents[4]
                store = Store(state, read_only=True)
                stored = store.get("Pod", namespace, pod)
                owner = stored and root_of(stored, store.get)
                return f"{owner['kind'].lower()}/{owner['metadata']['name']} of {state}" if owner else None
    return None


def port_holder(port: int) -> psutil.Process | None:
    """The process that listens on a port, when this user may know it."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return psutil.Process(connection.pid)
    except psutil.Error:
        return None
    return None
