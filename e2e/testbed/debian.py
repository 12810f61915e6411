"""Programs as Debian packages them, unpacked into the cache and never installed: nothing is started."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Literal

from testbed.errors import MissingProgramError
from testbed.programs import cache_folder, tell

Program = Literal["nginx", "prometheus", "promtool"]
PLACES: dict[Program, tuple[str, str]] = {
    "nginx": ("nginx", "usr/sbin"),
    "prometheus": ("prometheus", "usr/bin"),
    "promtool": ("prometheus", "usr/bin"),
}
"""The package of each program, and where it is inside."""


def debian(program: Program) -> Path:
    """Path of a program: the machine's own, else Debian's package. Raises MissingProgramError with the remedy."""
    if found := shutil.which(program):
        return Path(found)
    package, folder = PLACES[program]
    kept = cache_folder() / "debian" / package
    if not kept.is_dir():
        _fetch(package, kept)
    return kept / folder / program


def _fetch(package: str, kept: Path) -> None:
    remedy = f"install {package}, so that its programs are on PATH (Debian: apt-get install {package})"
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise MissingProgramError(remedy)
    tell(f"fetching Debian's package {package}")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        for command in (["apt-get", "--quiet=2", "update"], ["apt-get", "--quiet=2", "download", package]):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        packages = list(Path(folder).glob("*.deb"))
        if not packages:
            raise MissingProgramError(f"{remedy}; {' '.join(command)} failed: {done.stderr.strip()[-1000:]}")
        tree = Path(folder) / "tree"
        subprocess.run(["dpkg-deb", "--extract", str(packages[0]), str(tree)], check=True)
        # Another process may have been faster.
        if not kept.is_dir():
            tree.rename(kept)
