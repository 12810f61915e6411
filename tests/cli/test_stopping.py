"""A run ends when it is told to, whatever hangs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from swiftlet.local.lock import lock_holder

DEAF_POD = """
async def run(self):
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass
PodWorker.run = run
"""
BLOCKED_LOOP = """
running.state_of = lambda item: time.sleep(3600)
"""
SCRIPT = """
import asyncio, sys, time
from swiftlet.cli.acting import running
from swiftlet.cli.acting import stopping
from swiftlet.cli.main import main
from swiftlet.local import kubelet
from swiftlet.local.podworker import PodWorker
{sabotage}
kubelet.END_SECONDS = stopping.DRAIN_SECONDS = {seconds}
{grace}
class Heard(stopping.Stop):
    def _signalled(self, number, frame):
        super()._signalled(number, frame)
        open({heard!r}, "w").close()
running.Stop = Heard
sys.exit(main(sys.argv[1:]))
"""
NO_GRACE = "PodWorker.grace_seconds = property(lambda self: 0.0)"


def job(folder: Path) -> Path:
    """A FineTuneJob that is sound as far as documents tell."""
    (folder / "model").mkdir()
    (folder / "model/config.json").write_text('{"model_type": "llama"}')
    (folder / "rows.jsonl").write_text('{"text": "a swift"}\n')
    spec = {"model": {"uri": "./model"}, "datasets": [{"uri": "./rows.jsonl"}], "training": {"maxSteps": 1}}
    head = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "FineTuneJob", "metadata": {"name": "bird"}}
    path = folder / "job.yaml"
    YAML().dump({**head, "spec": spec}, path)
    return path


class Hanging:
    """`swiftlet run` in which something never ends."""

    def __init__(self, folder: Path, sabotage: str, *more: str, seconds: float = 3600, grace: str = "") -> None:
        self.state = folder / "state"
        self.heard = folder / "heard"
        script = SCRIPT.format(sabotage=sabotage, seconds=seconds, grace=grace, heard=str(self.heard))
        command = [sys.executable, "-c", script, "run", str(job(folder)), "--state", str(self.state), *more]
        self.reader, writer = os.pipe()
        if not sabotage:  # nobody reads what it prints, and the pipe is full
            os.set_blocking(writer, False)
            for size in (4096, 1):
                while _written(writer, size):
                    pass
            os.set_blocking(writer, True)
        self.process = subprocess.Popen(
            command,
            stdout=writer,
            stderr=writer,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        os.close(writer)

    def wait_until_it_hears(self) -> None:
        """Until the command has taken over SIGTERM."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            (line,) = [x for x in Path(f"/proc/{self.process.pid}/status").read_text().splitlines() if "SigCgt" in x]
            if int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1:
                return
            time.sleep(0.05)
        raise AssertionError("it does not listen")

    def signal(self, number: int) -> None:
        """Send a signal, and wait until it has been taken: a second one that came before would be lost."""
        self.process.send_signal(number)
        until = time.monotonic() + 60
        while not self.heard.exists():
            assert time.monotonic() < until, "it does not take the signal"
            time.sleep(0.02)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.reader)


def _written(descriptor: int, size: int) -> bool:
    try:
        return os.write(descriptor, b"." * size) > 0
    except BlockingIOError:
        return False


@pytest.mark.parametrize("sabotage", [DEAF_POD, BLOCKED_LOOP, ""], ids=["deaf pod", "blocked loop", "full pipe"])
@pytest.mark.parametrize(("first", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_second_signal_ends_it_within_a_second(tmp_path: Path, sabotage: str, first: int, code: int) -> None:
    run = Hanging(tmp_path, sabotage)
    try:
        run.wait_until_it_hears()
        run.signal(first)
        time.sleep(0.5)
        assert run.process.poll() is None
        run.process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert run.process.wait(timeout=10) == code  # by the last resort: everything else takes an hour
        assert time.monotonic() - began < 4  # 1 on a machine with nothing else to do
        assert lock_holder(run.state) is None
    finally:
        run.end()


@pytest.mark.parametrize("sabotage", [DEAF_POD, BLOCKED_LOOP, ""], ids=["deaf pod", "blocked loop", "full pipe"])
def test_the_timeout_ends_it(tmp_path: Path, sabotage: str) -> None:
    run = Hanging(tmp_path, sabotage, "--timeout", "1", seconds=0.5, grace=NO_GRACE)
    try:
        assert run.process.wait(timeout=30) == 4
    finally:
        run.end()
