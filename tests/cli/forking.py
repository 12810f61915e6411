"""`swiftlet` in processes that need not import the types first: each is forked from one that has."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

FORKS = """
import json, os, sys
import asyncio, ruamel.yaml, swiftlet.api, swiftlet.kinds
from swiftlet.cli.main import main

answers = os.fdopen(os.dup(1), "w")
for line in sys.stdin:
    asked = json.loads(line)
    if (child := os.fork()) == 0:
        for number, file in enumerate((os.devnull, asked["stdout"], asked["stderr"])):
            os.dup2(os.open(file, os.O_RDWR), number)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")
        os.environ.clear()
        os.environ.update(asked["environment"])
        sys.argv[1:] = asked["arguments"]
        sys.exit(main())
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), file=answers, flush=True)
"""


class Forking:
    """A process that has imported what most commands import, and forks for each command line."""

    def __init__(self, folder: Path) -> None:
        self._stdout, self._stderr = folder / "stdout", folder / "stderr"
        self._process = subprocess.Popen(
            [sys.executable, "-c", FORKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(
        self, arguments: list[str], environment: dict[str, str], timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run one to its end. Raises AssertionError when it takes too long."""
        assert self._process.stdin and self._process.stdout
        for file in (self._stdout, self._stderr):
            file.write_bytes(b"")
        asked = {"arguments": arguments, "environment": environment}
        asked |= {"stdout": os.fspath(self._stdout), "stderr": os.fspath(self._stderr)}
        watchdog = threading.Timer(timeout, self._process.kill)
        watchdog.start()
        try:
            print(json.dumps(asked), file=self._process.stdin, flush=True)
            code = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        assert code, f"swiftlet {' '.join(arguments)} did not end within {timeout} s"
        return subprocess.CompletedProcess(arguments, int(code), self._stdout.read_text(), self._stderr.read_text())

    def end(self) -> None:
        """End it; what it has forked has ended."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(60)
