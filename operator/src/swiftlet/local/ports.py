"""Who uses a port of this machine."""

import errno
import socket

import psutil


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
    who = f"{holder.name()} (process {holder.pid}: {' '.join(holder.cmdline())[:120]})" if holder else "another process"
    return f"port {port} is in use by {who}; stop it, or choose another port"


def port_holder(port: int) -> psutil.Process | None:
    """The process that listens on a port, when this user may know it."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return psutil.Process(connection.pid)
    except psutil.Error:
        return None
    return None
