"""Programs in an image as a restricted pod has them: its own user, read-only root, empty /tmp, no network."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from testbed import images
from testbed.errors import TestBedError

ENTER = """
mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"
mount -t tmpfs tmpfs "$1/tmp"
mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev"
root=$1 user=$2; shift 2
exec chroot --userspec="$user" "$root" "$@"
"""
"""By sh in namespaces of its own: ROOT USER COMMAND. buildah's own `run` leaves the root writable."""


@dataclass(frozen=True)
class Inside:
    """An image's file system, mounted."""

    root: Path
    user: str
    env: Mapping[str, str]

    def run(self, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command with the image's environment and `env`."""
        variables = [f"{name}={value}" for name, value in {**self.env, **env}.items()]
        inner = ["/usr/bin/env", "-i", "--chdir=/tmp", *variables, *command]
        outer = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-euc", ENTER, "sh"]
        return subprocess.run([*outer, str(self.root), self.user, *inner], capture_output=True, text=True, check=False)

    def python(self, program: str, **env: str) -> str:
        """Run Python; what it printed. Raises TestBedError with that when it fails."""
        done = self.run("python", "-c", program, **env)
        if done.returncode != 0:
            raise TestBedError(f"Python in the image ended with {done.returncode}: {done.stderr.strip()[-3000:]}")
        return done.stdout


@contextmanager
def inside(image: str) -> Iterator[Inside]:
    """The file system of an image of buildah's storage."""
    config = json.loads(images.buildah("inspect", "--type=image", image))["OCIv1"]["config"]
    container = images.buildah("from", "--pull-never", image).strip()
    try:
        root = Path(images.buildah("mount", container).strip())
        env = dict(one.split("=", 1) for one in config["Env"])
        yield Inside(root, config["User"], env)
    finally:
        images.buildah("rm", container)
