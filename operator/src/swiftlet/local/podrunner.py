"""The parent of one container's process: keeps its log, tells how it ended, and takes it along when the engine dies.

Started as `python -S -E podrunner.py` in a session of its own; imports only light standard modules, so that it costs a
few milliseconds. It is a subreaper, so a grandchild that leaves its session is still found.

stdin: one JSON line {argv, env, cwd, log}, then commands: T sends SIGTERM to the container's first process, as a
kubelet does; K kills everything. The end of stdin means that the engine is gone, and kills everything.
stdout: JSON lines {"pid"}, then {"exit", "signal"} or {"error"} when the program could not be started.
"""

import ctypes
import json
import os
import select
import signal
import sys
import time
from types import FrameType

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
RECORD_BYTES = 16384
"""Longest record of a log; a longer line continues in the next one. Source: CRI logging format."""
DRAIN_SECONDS = 2.0
"""How long output is awaited from pipes that somebody outside the container still holds open."""

Signals = dict[str, bool]


class Log:
    """Appends a container's output as CRI records. A full disk loses output but never stops the container."""

    def __init__(self, path: str | None) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o644) if path else None
        self._rest = {"stdout": b"", "stderr": b""}

    def feed(self, stream: str, data: bytes) -> None:
        """Take output; complete lines are written."""
        if self._file is None:
            return
        *lines, rest = (self._rest[stream] + data).split(b"\n")
        records = [self._records(stream, line, b"F") for line in lines]
        while len(rest) >= RECORD_BYTES:
            records.append(self._records(stream, rest[:RECORD_BYTES], b"P"))
            rest = rest[RECORD_BYTES:]
        self._rest[stream] = rest
        self._write(b"".join(records))

    def close(self) -> None:
        """Write what is left of lines without an end."""
        for stream, rest in self._rest.items():
            if rest:
                self._write(self._records(stream, rest, b"F"))

    def _records(self, stream: str, line: bytes, tag: bytes) -> bytes:
        nanoseconds = time.time_ns()
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(nanoseconds // 10**9))
        head = f"{moment}.{nanoseconds % 10**9:09d}Z {stream} ".encode()
        parts = [line[start : start + RECORD_BYTES] for start in range(0, len(line), RECORD_BYTES)] or [b""]
        return b"".join(head + (b"P" if part is not parts[-1] else tag) + b" " + part + b"\n" for part in parts)

    def _write(self, data: bytes) -> None:
        try:
            while data and self._file is not None:
                data = data[os.write(self._file, data) :]
        except OSError:
            return


def descendants() -> list[int]:
    """Processes below this one."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as stream:  # noqa: PTH123
                    parent = int(stream.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(name))
    found, queue = [], [os.getpid()]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def kill_all() -> None:
    """SIGKILL to everything below, until nothing is left that could fork; the dead are reaped by the caller."""
    for _ in range(100):
        alive = [pid for pid in descendants() if not _is_zombie(pid)]
        if not alive:
            return
        for pid in alive:
            _send(pid, signal.SIGKILL)
        time.sleep(0.005)


def _is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stream:  # noqa: PTH123
            return stream.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def start(spec: dict[str, object], libc: ctypes.CDLL) -> tuple[int, int, int, str]:
    """Fork and execute; returns (pid, stdout, stderr, why it could not be executed)."""
    pipes = [os.pipe() for _ in range(3)]
    (out, out_child), (err, err_child), (failed, failed_child) = pipes
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _become(spec, libc, parent, out_child, err_child)
        except FileNotFoundError:
            argv = spec["argv"]
            os.write(failed_child, f"{argv[0] if isinstance(argv, list) else argv}: no such program".encode())
        except BaseException as error:
            os.write(failed_child, str(error).encode())
        os._exit(127)
    for descriptor in (out_child, err_child, failed_child):
        os.close(descriptor)
    why = b""
    while part := os.read(failed, 4096):
        why += part
    os.close(failed)
    return pid, out, err, why.decode(errors="replace")


def _become(spec: dict[str, object], libc: ctypes.CDLL, parent: int, out: int, err: int) -> None:
    os.setsid()
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(127)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (out, 1), (err, 2)):
        os.dup2(source, target)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    os.chdir(str(spec["cwd"]))
    argv, env = spec["argv"], spec["env"]
    assert isinstance(argv, list) and isinstance(env, dict)  # noqa: S101
    os.execvpe(argv[0], argv, env)  # noqa: S606


def reap(main: int) -> int | None:
    """Collect the dead; the wait status of `main` when it is among them."""
    status = None
    while True:
        try:
            pid, found = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status
        if pid == 0:
            return status
        if pid == main:
            status = found


def supervise(main: int, out: int, err: int, log: Log) -> int:
    """Serve commands and output until `main` has ended; returns its wait status."""
    wakeup_read, wakeup_write = os.pipe()
    os.set_blocking(wakeup_write, False)
    signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)

    def ignore(number: int, frame: FrameType | None) -> None:
        """The wakeup descriptor wakes the loop."""

    signal.signal(signal.SIGCHLD, ignore)
    streams = {out: "stdout", err: "stderr"}
    watched = {0, wakeup_read, *streams}
    while True:
        # A child that died before the handler was there is found here, since reaping comes before waiting.
        if (status := reap(main)) is not None:
            return status
        for descriptor in select.select(list(watched), [], [])[0]:
            data = os.read(descriptor, 65536)
            if descriptor in streams and data:
                log.feed(streams[descriptor], data)
            elif descriptor == 0 and (not data or b"K" in data):
                kill_all()
                watched -= {0} if not data else set()
            elif descriptor == 0:
                _send(main, signal.SIGTERM)
            elif descriptor in streams:
                watched.discard(descriptor)


def drain(out: int, err: int, log: Log) -> None:
    """Read the output that is still in the pipes."""
    streams = {out: "stdout", err: "stderr"}
    until = time.monotonic() + DRAIN_SECONDS
    while streams and (left := until - time.monotonic()) > 0:
        for descriptor in select.select(list(streams), [], [], left)[0]:
            data = os.read(descriptor, 65536)
            if data:
                log.feed(streams[descriptor], data)
            else:
                del streams[descriptor]
    log.close()


def say(**words: object) -> None:
    """Tell the engine, if it still listens."""
    try:
        os.write(1, json.dumps(words).encode() + b"\n")
    except OSError:
        return


def main() -> int:
    """Run one container's process to its end."""
    spec = json.loads(_first_line())
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    pid, out, err, why = start(spec, libc)
    if why:
        say(error=why)
        return 0
    say(pid=pid)
    log = Log(spec["log"])
    status = supervise(pid, out, err, log)
    # As when the first process of a container ends: the rest goes with it.
    kill_all()
    reap(pid)
    drain(out, err, log)
    if os.WIFSIGNALED(status):
        say(exit=128 + os.WTERMSIG(status), signal=os.WTERMSIG(status))
    else:
        say(exit=os.WEXITSTATUS(status), signal=None)
    return 0


def _first_line() -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(0, 1)
        if not part:
            sys.exit(1)
        line += part
    return line


if __name__ == "__main__":
    sys.exit(main())
