"""`swiftlet ui` as a process, and the machine's own Chromium to look at it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

from testbed.errors import MissingProgramError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 30_000
"""Milliseconds for which something on a page is waited for: a cluster is read every five seconds."""
END_SECONDS = 20
"""For which an ended server is waited for: longer than it waits for open pages."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window. Raises MissingProgramError."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        raise MissingProgramError(f"there is no {' or '.join(PROGRAMS)}; Debian: apt install chromium")
    # Its sandbox wants another user than root, and /dev/shm is small in containers.
    arguments = ["--no-sandbox", "--disable-dev-shm-usage"] if os.geteuid() == 0 else []
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(*arguments: str, port: int = 0) -> Iterator[str]:
    """`swiftlet ui ARGUMENTS`: the URL that it prints. port 0: any."""
    with _printing("ui", *arguments, "--no-open", "--port", str(port)) as line:
        yield line


@contextmanager
def served_to_all(*arguments: str, port: int = 0) -> Iterator[str]:
    """`swiftlet operator ui ARGUMENTS` on this machine: its URL, with a slash at its end. port 0: any."""
    with _printing("operator", "ui", "--listen", f"127.0.0.1:{port}", *arguments) as line:
        yield f"http://{line.rpartition(' ')[2]}/"


@contextmanager
def _printing(*arguments: str) -> Iterator[str]:
    """The first line of a server."""
    command = [str(Path(sys.executable).with_name("swiftlet")), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(END_SECONDS)
