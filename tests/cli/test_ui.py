"""`swiftlet ui` where it cannot begin; what it shows is looked at in tests/browser."""

import socket
from pathlib import Path
from typing import Any

import pytest


def test_a_port_that_is_taken_is_told(failed_state: Path, swiftlet: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = swiftlet("ui", "--no-open", "--state", failed_state, "--port", port)
    assert done.returncode == 1
    assert done.stderr == (
        f"error: cannot listen on 127.0.0.1:{port}: Address already in use; name another with --port or --host\n"
    )


@pytest.mark.parametrize("port", ["65536", "-1", "http", "²"])
def test_what_is_no_port_is_told(failed_state: Path, swiftlet: Any, port: str) -> None:
    done = swiftlet("ui", "--no-open", "--state", failed_state, f"--port={port}")
    assert done.returncode == 2
    assert f"{port!r} is no port; write a number from 0 (any) to 65535" in done.stderr


def test_a_folder_in_which_nothing_was_run_is_told(tmp_path: Path, swiftlet: Any) -> None:
    done = swiftlet("ui", "--no-open", "--state", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing was run in the state folder" in done.stderr
