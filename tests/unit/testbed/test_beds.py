"""Beds and their ends, with small real processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from testbed import beds
from testbed.beds import Bed, abandoned, end, is_alive, marked, start_time

pytestmark = pytest.mark.usefixtures("own_root")
STUBBORN = "trap '' TERM; echo ready; while true; do sleep 0.1; done"
GONE = {"pid": 1, "started": 0}
"""A process that never was: pid 1 started at another time."""


def sleeper(bed: Bed, *command: str) -> "subprocess.Popen[bytes]":
    """A process that carries the bed's mark."""
    environment = {**os.environ, **bed.environment()}
    return subprocess.Popen(command or ("sleep", "60"), env=environment, stdout=subprocess.PIPE)


def disown(bed: Bed) -> None:
    """Make it look as if the owner had been killed."""
    beds._write(bed.folder / "owner.json", GONE)


def test_a_bed_has_a_folder_that_only_its_owner_enters(own_root: Path) -> None:
    bed = Bed.create()
    assert bed.folder.is_relative_to(own_root)
    assert bed.folder.parent.stat().st_mode & 0o077 == 0
    assert bed.is_owned()


def test_ending_ends_its_processes_and_no_others() -> None:
    one, other = Bed.create(), Bed.create()
    ours, theirs = sleeper(one), sleeper(other)
    one.end()
    assert ours.wait(60) == -signal.SIGTERM
    assert theirs.poll() is None
    assert not one.folder.exists()
    other.end()
    assert theirs.wait(60) == -signal.SIGTERM


def test_children_that_were_never_recorded_end_too() -> None:
    bed = Bed.create()
    parent = sleeper(bed, "sh", "-c", "sleep 60 & echo $!; exit")
    assert parent.stdout is not None
    orphan = int(parent.stdout.readline())
    parent.wait()
    assert marked(bed.folder) == [orphan]
    bed.end()
    assert start_time(orphan) is None


def test_what_ignores_sigterm_is_killed() -> None:
    bed = Bed.create()
    process = sleeper(bed, "sh", "-c", STUBBORN)
    assert process.stdout is not None
    process.stdout.readline()
    end(bed.folder, seconds=0.2)
    assert process.wait(60) == -signal.SIGKILL


def test_undo_commands_run_last_noted_first(tmp_path: Path) -> None:
    bed = Bed.create()
    log = tmp_path / "log"
    for word in ("first", "second"):
        bed.undo("sh", "-c", f"echo {word} >> {log}")
    bed.undo("false")
    bed.undo("/no/such/program")
    bed.end()
    assert log.read_text().split() == ["second", "first"]


def test_the_next_bed_ends_abandoned_ones_and_spares_the_others() -> None:
    lost, kept, owned = Bed.create("lost"), Bed.create("kept"), Bed.create("owned")
    process = sleeper(lost)
    kept.detach()
    disown(lost)
    assert abandoned() == [lost.folder]
    Bed.create("new")
    assert process.wait(60) == -signal.SIGTERM
    assert not lost.folder.exists()
    assert kept.folder.exists()
    assert owned.folder.exists()


def test_a_folder_whose_maker_was_killed_before_it_said_so_is_abandoned() -> None:
    newborn = beds.root() / "newborn"
    newborn.mkdir()
    assert abandoned() == [newborn]


def test_a_name_is_taken_once() -> None:
    Bed.create("mine")
    with pytest.raises(FileExistsError):
        Bed.create("mine")


def test_ports_are_given_out_once_and_are_free() -> None:
    one, other = Bed.create(), Bed.create()
    ports = [bed.free_port() for bed in (one, other, one, other, one)]
    assert len(set(ports)) == 5
    assert all(port in beds.PORTS for port in ports)


def test_a_port_that_something_listens_on_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        monkeypatch.setattr(beds, "PORTS", [taken])
        with pytest.raises(RuntimeError, match="no free port"):
            Bed.create().free_port()


def test_a_recorded_process_is_alive_until_it_ends() -> None:
    bed = Bed.create()
    process = sleeper(bed)
    bed.record("sleeper", process.pid, ["sleep", "60"])
    assert bed.processes() == {"sleeper": process.pid}
    process.kill()
    process.wait()
    assert bed.processes() == {"sleeper": None}


def test_a_zombie_is_not_alive() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    deadline = time.monotonic() + 30
    while start_time(process.pid) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert start_time(process.pid) is None
    process.wait()


def test_a_reused_pid_is_another_process() -> None:
    mine = {"pid": os.getpid(), "started": start_time(os.getpid()) or 0}
    assert is_alive(mine)
    assert not is_alive({**mine, "started": mine["started"] + 1})
