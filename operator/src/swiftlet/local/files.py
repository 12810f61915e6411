"""Files that are either old or new, never in between."""

import errno
import os
import tempfile
from pathlib import Path

TEMPORARY_PREFIX = ".tmp-"
"""Names of files that are being written. One that is left over was never finished and counts for nothing."""


class StorageError(OSError):
    """Writing the state folder failed; what was stored before is unharmed."""


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace `path` by `content`: written beside it, synced to disk, then renamed over it.

    Raises StorageError with the cause and a remedy when the file system refuses; the old file is then still whole.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY_PREFIX)
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).rename(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise storage_error(error, path) from error


def storage_error(error: OSError, path: Path) -> StorageError:
    """`error` with the file and the remedy in its text."""
    remedy = {
        errno.ENOSPC: "free space on that file system, then run again; nothing stored before was lost",
        errno.EDQUOT: "free some of the disk quota, then run again; nothing stored before was lost",
        errno.EACCES: "make the state folder writable, or choose another with --state",
        errno.EROFS: "choose a state folder on a writable file system with --state",
        errno.EFBIG: "raise the file size limit (ulimit -f), then run again; nothing stored before was lost",
    }.get(error.errno or 0, "nothing stored before was lost")
    failed = StorageError(f"cannot write {path}: {error.strerror}; {remedy}")
    failed.errno = error.errno
    return failed
