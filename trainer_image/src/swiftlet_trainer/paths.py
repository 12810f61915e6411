"""Where a path of a job document lies on this machine."""

import os
from pathlib import Path

ROOT_VARIABLE = "SWIFTLET_ROOT"


def in_pod(path: str | Path) -> Path:
    """`path` below $SWIFTLET_ROOT when it is absolute, which every path of a job document is.

    Below a root of the local engine each mount is a link. The path that it leads to is given instead: it is the one
    that people know, and messages show it. A relative path comes from a command line; it is relative to the working
    directory as usual.
    """
    path = Path(path)
    if not path.is_absolute():
        return path
    root, below = Path(os.environ.get(ROOT_VARIABLE) or "/"), path.relative_to("/")
    if root == Path("/"):
        return path
    for part in (*reversed(below.parents), below):
        mount = root / part
        if part.parts and mount.is_symlink():
            return mount.readlink() / below.relative_to(part)
    return root / below
