"""Reading a state folder from outside the engine."""

from pathlib import Path

from swiftlet.cli.errors import CommandError
from swiftlet.cli.reading.leftstore import LeftStore


def open_store(state: Path) -> LeftStore:
    """The objects of a state folder as they are now, to read. Raises CommandError when nothing was ever run there."""
    if not (state / "objects").is_dir():
        raise CommandError(
            f"nothing was run in the state folder {state}; start with `swiftlet run PATH`, or name another with --state"
        )
    return LeftStore(state)
