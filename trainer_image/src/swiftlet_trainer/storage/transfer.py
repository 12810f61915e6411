"""Bytes of object storage: parts, each asked for again where it failed; into a file side by side, all or nothing."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from swiftlet_trainer.failures import TrainerError

PART = 32 << 20
"""Bytes of a part."""
SIDE_BY_SIDE = 4
TRIES = 4
"""Of each part, besides what the client retries by itself."""

Read = Callable[[int, int], bytes]
"""Bytes from a beginning to an end, the latter not included."""


class TransferFailed(TrainerError):  # noqa: N818 - says what it is
    """The storage could not be reached, or did not send what it had promised. It may pass."""


def download(read: Read, size: int, file: Path) -> None:
    """Write `size` bytes to `file`, which appears when it is complete. Raises TransferFailed and what `read` raises."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.partial")
    with partial.open("wb") as stream, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        stream.truncate(size)

        def part(begin: int) -> None:
            _write(stream.fileno(), _part(read, begin, min(begin + PART, size)), begin)

        submitted = [pool.submit(part, begin) for begin in range(0, size, PART)]
        try:
            for done in submitted:
                done.result()
        finally:
            # After a failure the pool would ask for all other parts first, minutes each where the storage is silent.
            pool.shutdown(cancel_futures=True)
    partial.replace(file)


def parts(read: Read, size: int) -> Iterator[bytes]:
    """The bytes one part after another. Raises TransferFailed and what `read` raises."""
    for begin in range(0, size, PART):
        yield _part(read, begin, min(begin + PART, size))


def outside(names: Iterable[str]) -> list[str]:
    """Those of relative paths that would be written elsewhere: a key may be any text."""
    return [name for name in names if {"..", "/", "//"} & set(PurePosixPath(name).parts)]


def _write(descriptor: int, data: bytes, begin: int) -> None:
    """All of it: a disk that fills up takes a part without a word, and refuses only the next."""
    left = memoryview(data)
    while left:
        written = os.pwrite(descriptor, left, begin)
        left, begin = left[written:], begin + written


def _part(read: Read, begin: int, end: int) -> bytes:
    """Raises TransferFailed when every try failed or brought another number of bytes."""
    said = ""
    for _ in range(TRIES):
        try:
            found = read(begin, end)
        except TransferFailed as error:
            said = str(error)
            continue
        if len(found) == end - begin:
            return found
        said = f"{len(found)} bytes came instead of {end - begin}"
    raise TransferFailed(f"bytes {begin} to {end}: {said}, {TRIES} times; the next attempt begins anew")
