"""Environments of the other trainers: one each, made from its lock, outside of the checkout."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "swiftlet" / "bench"
SHOWN = (
    *("torch", "transformers", "trl", "ms-swift", "llamafactory", "sentence-transformers"),
    *("peft", "accelerate", "datasets"),
)


class InstallError(Exception):
    """Why a peer's environment cannot be made: the last line of what the installer said."""


def python_of(peer: str) -> str:
    """The interpreter of `peer`'s environment (`swiftlet`: this one), made first when it is not there.

    Raises InstallError.
    """
    if peer == "swiftlet":
        return sys.executable
    lock, folder = PEERS / peer / "requirements.lock", folder_of(peer)
    python = folder / "bin" / "python"
    if not is_made(peer):
        print(f"installing {peer} into {folder}", file=sys.stderr, flush=True)
        _run(_uv(), "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder))
        _run(_uv(), "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(lock))
        (folder / ".installed").touch()
    return str(python)


def folder_of(peer: str) -> Path:
    """Where `peer`'s environment is, or will be."""
    lock = PEERS / peer / "requirements.lock"
    return CACHE / f"{peer}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"


def is_made(peer: str) -> bool:
    """Whether `peer`'s environment is there."""
    return (folder_of(peer) / ".installed").exists()


def _uv() -> str:
    """The program beside this interpreter, which the lock installs, or one on PATH."""
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if not found:
        raise InstallError("there is no uv; run `make install`")
    return found


def _run(*command: str) -> None:
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise InstallError((done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1])


def versions(peer: str) -> str:
    """`name version, …` of what matters in `peer`'s environment. Raises InstallError."""
    program = (
        "import json, sys\nfrom importlib import metadata\nfound = {}\nfor name in sys.argv[1:]:\n"
        "    try: found[name] = metadata.version(name)\n    except metadata.PackageNotFoundError: pass\n"
        "print(json.dumps(found))"
    )
    command = [python_of(peer), "-c", program, *SHOWN]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return ", ".join(f"{name} {number}" for name, number in found.items())
