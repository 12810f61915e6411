"""`swiftlet version`."""

import argparse
from typing import TYPE_CHECKING

from swiftlet import __version__
from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands


def add_parser(commands: "Commands") -> None:
    parser = add_command(commands, "version", "Print the version", examples="swiftlet version")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the version."""
    print(f"swiftlet {__version__}")
    return exitcodes.OK
