"""A bed leaves nothing behind, however it ends, and none is in another's way."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from pods import NODES, get, node_ready, until
from testbed import beds
from testbed.nodes import Cluster
from testbed.programs import cache_folder

OWNER = '''
import sys, time
from testbed import images
from testbed.nodes import Cluster
cluster = Cluster(nodes=1, images=[images.base()]).up()
pod = """
apiVersion: v1
kind: Pod
metadata: {name: sleeper}
spec: {containers: [{name: main, image: %s, command: [sleep, "%s"]}]}
"""
cluster.kubectl("apply", "--server-side", "--filename=-", stdin=pod % (images.base(), sys.argv[1]))
cluster.kubectl("wait", "pod/sleeper", "--for=condition=Ready", "--timeout=180s")
print(cluster.bed.name, cluster.plan.link, flush=True)
time.sleep(600)
'''


def traces(name: str, link: str, marker: str) -> list[str]:
    """What is left of a bed: processes, its pods' processes, folders, cgroups, mounts, its link."""
    sleeper = [b"sleep", marker.encode(), b""]
    processes = [
        str(line) for line in command_lines().values() if line == sleeper or any(name.encode() in each for each in line)
    ]
    folders = (beds.root() / name, cache_folder() / "nodes" / name, Path("/sys/class/net", link))
    # Folders that go meanwhile are no fault to os.walk, as they are to Path.rglob.
    walked = ((folder, one) for folder, below, _ in os.walk("/sys/fs/cgroup") for one in below)
    cgroups = [f"{folder}/{one}" for folder, one in walked if one.startswith(f"{name}-")]
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if name in line]
    return [*processes, *(str(path) for path in folders if path.exists()), *cgroups, *mounts]


@pytest.mark.parametrize("guarded", [True, False])
def test_nothing_is_left_of_a_killed_owner(guarded: bool) -> None:
    """By its guard at once; when the guard was killed too, by the next bed that starts."""
    marker = str(10**6 + os.getpid() * 2 + guarded)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    argv = [sys.executable, "-c", OWNER, marker]
    with ExitStack() as stack:
        owner = stack.enter_context(
            subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True)
        )
        stack.callback(owner.kill)
        assert owner.stdout is not None
        name, link = owner.stdout.readline().split()
        # A pod is ready before its process has put off the runtime's name: unseen, this is no proof.
        until(lambda: any(marker in each for each in traces(name, link, marker)), 30)
        if not guarded:
            stack.enter_context(beds.locked())  # no other bed starts meanwhile, here or beside
            os.kill(guard_of(name), signal.SIGKILL)
            owner.kill()
            owner.wait()
            time.sleep(1)
            assert traces(name, link, marker), "somebody else has cleaned: no proof"
    if not guarded:
        beds.end(beds.Bed.create().folder)
    until(lambda: not traces(name, link, marker), 180)


def guard_of(name: str) -> int:
    """The process that guards a bed."""
    folder = str(beds.root() / name).encode()
    (found,) = (pid for pid, line in command_lines().items() if b"testbed.guard" in line and folder in line)
    return found


def command_lines() -> dict[int, list[bytes]]:
    """Arguments of every process of the machine."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found[int(entry.name)] = (entry / "cmdline").read_bytes().split(b"\0")
    return found


def test_two_beds_live_side_by_side(bed: Cluster) -> None:
    with Cluster(nodes=1) as other:
        assert other.plan.subnet != bed.plan.subnet
        assert len(get(other, "nodes")["items"]) == 1
        assert len(get(bed, "nodes")["items"]) == 2
    assert all(node_ready(bed, node) == "True" for node in NODES)
