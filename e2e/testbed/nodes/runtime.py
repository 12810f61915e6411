"""containerd in namespaces of its own: what every node has, and all that it takes to unpack images."""

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from testbed.beds import Bed
from testbed.errors import TestBedError
from testbed.nodes import configs, layout
from testbed.nodes.namespace import Inside, Namespace
from testbed.programs import program, programs
from testbed.system import SEARCH, find

PROGRAMS = ("containerd", "containerd-shim-runc-v2", "ctr", "pause")
POD_NETWORK_PROGRAMS = ("bridge", "host-local", "loopback", "portmap")
KUBERNETES = "k8s.io"
"""containerd's namespace of what kubelet runs."""


class Runtime:
    """A running containerd with its data in `folder`."""

    def __init__(self, bed: Bed, name: str, folder: Path) -> None:
        """Make the namespaces; `start` starts containerd."""
        self.name = name
        self.folder = folder
        self._bed = bed
        self._programs = programs(*PROGRAMS)
        for path in (layout.CONTAINERD, layout.CNI, layout.KUBELET, layout.LOGS):
            self.on_machine(path).mkdir(parents=True, exist_ok=True)
        pause = self._programs["pause"]
        setup = ["sh", "-c", layout.SETUP, "setup", str(folder), str(pause)]
        self.namespace = Namespace(bed, f"{name}.namespace", setup)
        self.namespace.wait_for(pause)
        self._containerd: Inside | None = None

    def on_machine(self, path: Path) -> Path:
        """Where the machine sees a path of the node's folder."""
        return self.folder / path.relative_to(layout.NODE)

    def start(self) -> None:
        """Start containerd and wait until it answers. Raises TestBedError with the end of its log."""
        networking = program(POD_NETWORK_PROGRAMS[0]).parent
        config = configs.containerd(networking, find("runc") or "runc")
        self.on_machine(layout.CONTAINERD_CONFIG).write_text(config)
        # Its shim is looked for on PATH.
        path = f"PATH={self._programs['containerd'].parent}:{SEARCH}"
        argv = ["env", path, str(self._programs["containerd"]), f"--config={layout.CONTAINERD_CONFIG}"]
        self._containerd = self.run("containerd", argv)
        self._wait()

    def stop(self) -> None:
        """End containerd in order, so that its databases are whole, and the namespaces with it."""
        if self._containerd is not None:
            self._containerd.stop()
        self.namespace.end()

    def run(self, name: str, argv: list[str]) -> Inside:
        """Start a program of the bed in the namespaces."""
        return Inside(self._bed, f"{self.name}.{name}", self.namespace, argv)

    def ctr(self, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run containerd's own client. Raises TestBedError when it fails and `check` is set."""
        client = [str(self._programs["ctr"]), f"--address={layout.CONTAINERD_SOCKET}", f"--namespace={KUBERNETES}"]
        command = self.namespace.inside(*client, *args)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise TestBedError(
                f"ctr {' '.join(args)} on {self.name} ended with {done.returncode}: {done.stderr.strip()}"
            )
        return done

    def import_image(self, archive: Path) -> None:
        """Unpack every image of an OCI archive."""
        self.ctr("images", "import", "--local", "--discard-unpacked-layers", str(archive))

    def keep_only(self, digests: Mapping[str, str]) -> None:
        """Remove every image but these (name → digest), and what only the removed ones used."""
        rows = [line.split() for line in self.ctr("images", "ls").stdout.splitlines()[1:]]
        # The CRI plugin notes each image a second time, under its digest.
        unwanted = [name for name, _, digest, *_ in rows if digests.get(name) != digest and not (
            name.startswith("sha256:") and digest in digests.values()
        )]  # fmt: skip
        if unwanted:
            self.ctr("images", "rm", "--sync", *unwanted)

    def _wait(self, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while True:
            done = self.ctr("version", check=False)
            if done.returncode == 0:
                return
            assert self._containerd is not None
            if not self._containerd.running or time.monotonic() > deadline:
                said = self._containerd.log.read_text(errors="replace")[-2000:]
                raise TestBedError(f"containerd of {self.name} is not ready: {done.stderr.strip()}\n{said}")
            time.sleep(0.05)
