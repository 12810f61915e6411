"""Where a path of a job document lies on this machine."""

import os
from pathlib import Path

ROOT_VARIABLE = "SWIFTLET_ROOT"


def in_pod(path: str | Path) -> Path:
    """`path` below $SWIFTLET_ROOT when it is absolute, which every path of a job document is.

    A relative path comes from a command line; it is relative to the working directory as usual.
    """
    path = Path(path)
    if not path.is_absolute():
        return path
    return Path(os.environ.get(ROOT_VARIABLE) or "/") / path.relative_to("/")
