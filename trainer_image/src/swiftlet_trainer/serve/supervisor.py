"""The parent of an engine: starts it, warms it, says whether it is ready, and explains its death."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import httpx
from swiftlet.wire.messages import EXIT_INVALID

from swiftlet_trainer.failures import InvalidInput, TrainerError
from swiftlet_trainer.serve.engine import PROBLEM_PREFIX, EngineProcess
from swiftlet_trainer.serve.health import State
from swiftlet_trainer.serve.warming import Unanswered, warm

LAST_LINES = 40
POLL_SECONDS = 0.25
HEALTH_TIMEOUT_SECONDS = 4.0
ADDRESS_IN_USE = re.compile(r"address already in use", re.IGNORECASE)
PREFIX = re.compile(r"^(?:\(.*?\) )?(?:(?:ERROR|CRITICAL) \S+ \S+ \[.*?\] ?)?")
"""What vLLM puts in front of its lines."""
CAUSE = re.compile(r"(?:\w+\.)*\w*(?:Error|Exception|Exit|Interrupt)\b.*")
"""The last line of a traceback."""
MOST_DETAILS = 4


class EngineDied(TrainerError):  # noqa: N818  (the reason that status shows)
    """The engine ended by itself. lines: its last output."""

    reason = "EngineDied"

    def __init__(self, message: str, lines: Sequence[str]) -> None:
        self.lines = list(lines)
        super().__init__(message)


class PortInUse(TrainerError):  # noqa: N818
    """Another process listens where the engine or the probes should."""

    exit_code = EXIT_INVALID
    reason = "PortInUse"

    def __init__(self, port: int, field: str) -> None:
        super().__init__(
            f"port {port} ({field}) is in use by another process; stop it, or set spec.api.port to a free one"
        )


class Supervisor:
    """Runs one engine to its end.

    engine: what to start. url: where its API answers. names: served names, each of which is asked for a token.
    state: what the health port shows. stop: set it, and the engine finishes the answers under way and ends.
    announce: told of every phase.
    """

    def __init__(
        self,
        engine: EngineProcess,
        url: str,
        api_key: str | None,
        names: Sequence[str],
        port: int,
        state: State,
        stop: threading.Event,
        announce: Callable[[str], None],
    ) -> None:
        self._engine, self._names, self._port, self._state, self._announce = engine, list(names), port, state, announce
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=HEALTH_TIMEOUT_SECONDS, trust_env=False)
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._problems: list[str] = []
        self._is_ill = False
        self._stop = stop
        self._child: subprocess.Popen[str] | None = None

    def run(self) -> None:
        """Start, warm, and watch until `stop`. Raises EngineDied, PortInUse or InvalidInput when it ends first."""
        if self._stop.is_set():
            return
        self._phase(f"starting {self._engine.name}")
        started = time.monotonic()
        self._child = subprocess.Popen(
            self._engine.command,
            env={**os.environ, **self._engine.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        reader = threading.Thread(target=self._read, daemon=True)
        reader.start()
        try:
            if self._until_listed() and self._warm():
                self._state.ready(self._names, time.monotonic() - started, self.problem)
                self._announce(f"serving {', '.join(self._names)}, ready after {time.monotonic() - started:.0f} s")
                while not self._stop.wait(POLL_SECONDS):
                    self._check(reader)
            else:
                self._check(reader)
        finally:
            self._state.stopping()
            self._end(reader)

    def problem(self) -> str | None:
        """Why the engine does not live, by its process or its own /health; told in the log when it begins."""
        found = self._found()
        if found and not self._is_ill:
            sys.stdout.write(f"not alive: {found}\n")
            sys.stdout.flush()
        self._is_ill = bool(found)
        return found

    def _found(self) -> str | None:
        if self._child is None or self._child.poll() is not None:
            return "the engine's process has ended"
        try:
            answer = self._client.get("/health")
            return None if answer.status_code == httpx.codes.OK else str(answer.json()["error"]["message"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return "the engine does not answer /health"

    def _read(self) -> None:
        """Pass the engine's output on, keep its end, and follow its phases."""
        assert self._child and self._child.stdout  # noqa: S101  (started with a pipe)
        for line in self._child.stdout:
            if self._engine.noise and self._engine.noise.search(line):
                continue
            sys.stdout.write(line)
            sys.stdout.flush()
            self._lines.append(line.rstrip())
            if line.startswith(PROBLEM_PREFIX):
                self._problems.append(line.removeprefix(PROBLEM_PREFIX).strip())
            for pattern, phase in self._engine.phases:
                if pattern.search(line):
                    self._phase(phase)

    def _until_listed(self) -> bool:
        """Wait until /v1/models lists every name; False when the wait ended otherwise."""
        while not self._over():
            try:
                answer = self._client.get("/v1/models")
                if answer.is_success and set(self._names) <= {card["id"] for card in answer.json()["data"]}:
                    return True
            except (httpx.HTTPError, ValueError, KeyError):
                pass  # not listening yet, or not all of its routes
            self._stop.wait(POLL_SECONDS)
        return False

    def _warm(self) -> bool:
        """Ask the names as warm() does; False when the engine or the wait ended before all answered."""
        try:
            warm(self._client, self._names, self._engine, self._phase, self._lines)
        except Unanswered as error:
            if error.gone and self._over():
                return False
            raise EngineDied(f"{self._engine.name} gave {error}", self._lines) from None
        return not self._over()

    def _over(self) -> bool:
        return self._stop.is_set() or (self._child is not None and self._child.poll() is not None)

    def _check(self, reader: threading.Thread) -> None:
        """Raise what explains the engine's end, when it has ended and was not asked to."""
        code = self._child.poll() if self._child else None
        if code is None or self._stop.is_set():
            return
        reader.join(timeout=5)  # its last lines may still be in the pipe
        if self._problems:
            raise InvalidInput(self._problems)
        if any(ADDRESS_IN_USE.search(line) for line in self._lines):
            raise PortInUse(self._port, "spec.api.port")
        raise EngineDied(f"{self._engine.name} ended with {_exit(code)}{cause_of(self._lines)}", self._lines)

    def _end(self, reader: threading.Thread) -> None:
        """SIGTERM, time to finish the answers under way, then SIGKILL for whatever is left of its processes."""
        assert self._child  # noqa: S101
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(self._engine.kill_after_seconds)
            except subprocess.TimeoutExpired:
                sys.stdout.write(
                    f"{self._engine.name} did not end within {self._engine.kill_after_seconds:.0f} s: killed\n"
                )
        with contextlib.suppress(ProcessLookupError):  # raised when all of them have ended
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        reader.join(timeout=5)
        self._client.close()

    def _phase(self, phase: str) -> None:
        self._state.phase = phase
        self._announce(phase)


def cause_of(lines: Sequence[str]) -> str:
    """`: ` and the last line that names an error, with the details that pydantic writes below it, or nothing."""
    plain = [PREFIX.sub("", line).rstrip() for line in lines]
    found = [number for number, line in enumerate(plain) if CAUSE.match(line)]
    if not found:
        return ""
    cause, below = plain[found[-1]], plain[found[-1] + 1 :][:MOST_DETAILS]
    details = [line.strip() for line in below if line.startswith("  ")] if " validation error" in cause else []
    return f": {'; '.join([cause, *(line for line in details if not line.startswith('For further'))])}"


def _exit(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
