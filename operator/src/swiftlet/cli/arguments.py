"""Arguments that several commands share."""

import argparse
import os
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

DEFAULT_STATE = ".swiftlet"


def add_command(
    commands: "Commands", name: str, summary: str, details: str = "", examples: str = ""
) -> argparse.ArgumentParser:
    """A subcommand with a description and examples in its --help. `examples` are command lines, one each line."""
    listed = "\n".join(f"  {line.strip()}" for line in examples.strip().splitlines())
    return commands.add_parser(
        name,
        help=summary[0].lower() + summary[1:],
        description=textwrap.fill(f"{summary}. {details}".strip(), 90),
        epilog=f"examples:\n{listed}" if listed else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_state(parser: argparse.ArgumentParser) -> None:
    """--state, on every command that reads or changes objects."""
    parser.add_argument(
        "--state",
        type=Path,
        default=Path(os.environ.get("SWIFTLET_STATE") or DEFAULT_STATE),
        metavar="DIR",
        help="state folder: objects, logs, artifacts (default: $SWIFTLET_STATE, else .swiftlet)",
    )


def add_namespace(parser: argparse.ArgumentParser) -> None:
    """-n/--namespace."""
    parser.add_argument("-n", "--namespace", default="default", help="namespace of the resource (default: default)")


def add_output(parser: argparse.ArgumentParser, *formats: str) -> None:
    """-o/--output."""
    parser.add_argument("-o", "--output", choices=formats, metavar="|".join(formats), help="print as this instead")
