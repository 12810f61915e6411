"""Which bytes a model is made of, whatever it is called."""

import hashlib
from functools import lru_cache
from pathlib import Path


def file_digest(file: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def weights_digest(file: Path) -> str:
    """`file_digest` of weights, which one process reads once: each of many adapters asks for its base's."""
    found = file.stat()
    return _remembered(file, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@lru_cache(maxsize=1024)
def _remembered(file: Path, *_state: int) -> str:
    return file_digest(file)


def weight_bytes(folder: Path) -> int:
    """Bytes of the folder's weights: of its safetensors files."""
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def model_digest(folder: Path) -> str:
    """`sha256:` over `name digest` lines of the folder's safetensors files, sorted by name.

    Configuration and tokenizer are left out: they are copied along with adapters and may be rewritten on saving.
    """
    lines = [f"{file.name} {weights_digest(file)}\n" for file in sorted(folder.glob("*.safetensors"))]
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()
