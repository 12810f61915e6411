"""The log that a container's parent keeps, and what it does on its own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
from swiftlet.local.logs import log_lines
from swiftlet.local.podrunner import RECORD_BYTES, Log
from swiftlet.local.process import RUNNER


def written(path: Path) -> list[str]:
    with path.open() as records:
        return [line.text for line in log_lines(records)]


def test_lines_are_put_together_from_pieces(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "0.log"))
    for piece in (b"fir", b"st\nsec", b"ond\nrest"):
        log.feed("stdout", piece)
    log.close()
    assert written(tmp_path / "0.log") == ["first\n", "second\n", "rest\n"]


def test_a_long_line_becomes_several_records_and_one_text(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "0.log"))
    line = b"x" * (2 * RECORD_BYTES + 10)
    log.feed("stderr", line + b"\n")
    log.feed("stderr", line)
    log.close()
    pieces = written(tmp_path / "0.log")
    assert max(map(len, pieces)) <= RECORD_BYTES
    assert "".join(pieces).encode() == line + b"\n" + line + b"\n"


def test_a_full_disk_loses_output_but_does_not_stop_the_container() -> None:
    log = Log("/dev/full")
    log.feed("stdout", b"words\n")
    log.close()


def test_the_end_of_the_engine_ends_the_container(tmp_path: Path) -> None:
    runner = subprocess.Popen(
        [sys.executable, "-S", "-E", str(RUNNER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert runner.stdin is not None and runner.stdout is not None
    argv = ["sh", "-c", "trap '' TERM; setsid sleep 3600 & sleep 3600"]
    document = {"argv": argv, "env": dict(os.environ), "cwd": str(tmp_path), "log": str(tmp_path / "0.log")}
    runner.stdin.write(json.dumps(document) + "\n")
    runner.stdin.flush()
    main = psutil.Process(json.loads(runner.stdout.readline())["pid"])
    until = time.monotonic() + 60
    while len(below := main.children(recursive=True)) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    runner.stdin.close()
    assert json.loads(runner.stdout.readline()) == {"exit": 137, "signal": 9}
    assert runner.wait(timeout=60) == 0
    assert len(below) == 2 and not any(process.is_running() for process in [main, *below])
