"""System packages of nodes, images and Argo CD: on Debian as root they are installed, elsewhere they are named."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping

from testbed.errors import MissingProgramError
from testbed.programs import tell

PACKAGES: Mapping[str, str] = {
    "runc": "runc",  # Debian's is built with seccomp, which restricted pods ask for
    "nft": "nftables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
    "buildah": "buildah",
    "mmdebstrap": "mmdebstrap",
    "git": "git",
    "redis-check-rdb": "redis-tools",  # the server's own program, without a service that is started
}
"""Program → Debian package."""
NODE_PROGRAMS = ("runc", "nft", "ip", "nsenter", "unshare", "mount")
IMAGE_PROGRAMS = ("buildah", "mmdebstrap")
ARGO_CD_PROGRAMS = ("git", "redis-check-rdb")
SEARCH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
"""Looked through after PATH, which lacks the sbin folders for most users."""


def find(name: str) -> str | None:
    """Path of an installed program, or None."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SEARCH}")


def missing_packages(names: tuple[str, ...], found: Callable[[str], str | None] = find) -> list[str]:
    """Debian packages of the programs that are not installed."""
    return sorted({PACKAGES[name] for name in names if found(name) is None})


def ensure(*names: str) -> None:
    """Have these programs installed, by apt-get when we may. Raises MissingProgramError with the command to run."""
    wanted = missing_packages(names)
    if not wanted:
        return
    if os.geteuid() != 0 or find("apt-get") is None:
        raise MissingProgramError(
            f"the test bed needs the packages {', '.join(wanted)}; "
            f"install them (Debian: apt-get install --no-install-recommends {' '.join(wanted)}), or run this as root"
        )
    tell(f"installing {', '.join(wanted)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *wanted]):
        done = subprocess.run(
            ["apt-get", "--quiet=2", *command], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise MissingProgramError(f"apt-get {' '.join(command)} failed: {done.stderr.strip()[-1000:]}")
    if left := missing_packages(names):
        raise MissingProgramError(f"{', '.join(left)} installed, but its programs are not on PATH or in {SEARCH}")
