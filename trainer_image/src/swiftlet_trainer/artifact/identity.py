"""Which bytes a model or adapter is: a digest over everything that loading it may read."""

import hashlib
from fnmatch import fnmatch
from pathlib import Path

from swiftlet_trainer.artifact.manifest import is_artifact, manifest_digest, read_and_verify
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.digest import file_digest, weights_digest

LOADED = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")
"""What is read of a model's folder, and so what is fetched from the hub: no pickles, no program code."""


def identity(folder: Path) -> str:
    """`sha256:` digest of an artifact's manifest, or of the files of a model that has none."""
    return manifest_digest(folder) if is_artifact(folder) else content_digest(folder)


def content_digest(folder: Path) -> str:
    """`sha256:` over `name digest` lines of the files that loading reads, by name; hidden folders are left out.

    Configuration, tokenizer and chat template count: they decide about answers as weights do.
    """
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    found = sorted(
        name.as_posix()
        for name in names
        if any(fnmatch(name.name, pattern) for pattern in LOADED) and not any(part[0] == "." for part in name.parts)
    )
    lines = [f"{name} {_digest(folder / name)}\n" for name in found]
    return "sha256:" + hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()


def _digest(file: Path) -> str:
    return weights_digest(file) if file.suffix == ".safetensors" else file_digest(file)


def identity_problems(folder: Path, expected: str | None) -> list[str]:
    """Why the folder is not what it says it is, or not what was promised (`expected`, as `identity` gave it)."""
    if is_artifact(folder) or (expected and not folder.is_dir()):
        try:
            read_and_verify(folder, expected)
        except InvalidInput as error:
            return error.problems
        return []
    if expected is None or expected == (found := content_digest(folder)):
        return []
    return [
        f"{folder}: digest is {found}, expected {expected}: these are not the files that were measured; evaluate them"
        " again, or put back what was there"
    ]
