"""containerd in namespaces of its own: what every node has, and all that it takes to unpack images."""

import subprocess
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE

from testbed.beds import Bed
from testbed.errors import TestBedError
from testbed.image_layers import Image
from testbed.nodes import configs, layout
from testbed.nodes.namespace import Inside, Namespace
from testbed.programs import program, programs
from testbed.system import SEARCH, find

PROGRAMS = ("containerd", "containerd-shim-runc-v2", "ctr", "pause")
POD_NETWORK_PROGRAMS = ("bridge", "host-local", "loopback", "portmap")
IMPORT = ("images", "import", "--local", "--discard-unpacked-layers")
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
        done = subprocess.run(self._client(*args), capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise TestBedError(
                f"ctr {' '.join(args)} on {self.name} ended with {done.returncode}: {done.stderr.strip()}"
            )
        return done

    def import_archive(self, archive: Path) -> None:
        """Unpack every image of an OCI archive."""
        self.ctr(*IMPORT, str(archive))

    def import_stored(self, image: Image, name: str) -> None:
        """Unpack an image of buildah's storage: the layers that are not here yet."""
        unpacked = {line.split()[0] for line in self.ctr("snapshots", "ls").stdout.splitlines()[1:]}
        with subprocess.Popen(self._client(*IMPORT, "-"), stdin=PIPE, stdout=DEVNULL, stderr=PIPE) as process:
            assert process.stdin is not None and process.stderr is not None
            # When ctr refuses, it says why, and the rest of the archive has nobody to read it.
            with suppress(BrokenPipeError), process.stdin as out:
                image.write(out, name, unpacked)
            said = process.stderr.read().decode(errors="replace").strip()
        if process.returncode != 0:
            raise TestBedError(f"{name} was not unpacked on {self.name}: {said}")

    def keep_only(self, names: Collection[str]) -> None:
        """Remove every other image, and what only the removed ones used."""
        rows = [line.split() for line in self.ctr("images", "ls").stdout.splitlines()[1:]]
        digests = {digest for name, _, digest, *_ in rows if name in names}
        # The CRI plugin notes each image a second time, under the digest of its configuration.
        unwanted = [
            name
            for name, _, digest, *_ in rows
            if name not in names and not (name.startswith("sha256:") and digest in digests)
        ]
        if unwanted:
            self.ctr("images", "rm", "--sync", *unwanted)
        # What is unpacked is discarded some time later, unless asked for.
        self.ctr("content", "prune", "references")

    def _client(self, *args: str) -> list[str]:
        client = [str(self._programs["ctr"]), f"--address={layout.CONTAINERD_SOCKET}", f"--namespace={KUBERNETES}"]
        return self.namespace.inside(*client, *args)

    def _wait(self, seconds: float = 120) -> None:
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
