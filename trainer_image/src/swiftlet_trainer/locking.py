"""One process at a time, also of several pods that share a volume."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def is_held(file: Path) -> bool | None:
    """Whether a process holds `file`; None when none ever did."""
    try:
        with file.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False if stream.read(1) else None
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return True


def hold(file: Path) -> IO[str]:
    """Lock `file` until this process ends, however it does: keep what is returned. That it was held can be seen."""
    file.parent.mkdir(parents=True, exist_ok=True)
    stream = file.open("w")
    fcntl.flock(stream, fcntl.LOCK_EX)
    stream.write("held\n")
    stream.flush()
    return stream


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Within, no other process is within for the same `file`, which is made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
