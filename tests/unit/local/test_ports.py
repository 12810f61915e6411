"""Who uses a port."""

import os
import socket

from swiftlet.local.ports import port_conflict


def test_a_port_in_use_names_the_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        words = port_conflict(port)
        assert words is not None
        assert f"port {port} is in use" in words and f"process {os.getpid()}" in words and "choose another" in words
    assert port_conflict(port) is None
