"""`swiftlet delete`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_world

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands
    from swiftlet.documents.document import Key


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "delete",
        "Delete resources and all that was made for them",
        "Artifacts, checkpoints and reports stay on the artifacts volume. Asks for nothing.",
        """swiftlet delete finetunejob bird
        swiftlet delete evalrun/bird mdep/bird
        swiftlet delete -f examples/quickstart""",
    )
    parser.add_argument("target", nargs="*", metavar="KIND NAME...", help="or KIND/NAME...")
    parser.add_argument(
        "-f", "--filename", type=Path, action="append", metavar="PATH", help="what these documents name; - is stdin"
    )
    parser.add_argument("--ignore-not-found", action="store_true", help="deleting what is not there is no failure")
    add_world(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Delete each, print what was deleted."""
    from swiftlet.cli.acting.deleting import delete_all, delete_on_cluster
    from swiftlet.cli.arguments import default_state, is_on_cluster
    from swiftlet.cli.errors import CommandError

    if bool(options.target) == bool(options.filename):
        raise CommandError("name either resources (KIND NAME) or documents (-f PATH)", exitcodes.INVALID)
    if is_on_cluster(options):
        from swiftlet.cli.reading.worlds import open_cluster

        world = open_cluster(options)
        delete_on_cluster(world, _keys(options, options.namespace or world.namespace), options.ignore_not_found)
    else:
        keys = _keys(options, options.namespace or "default")
        delete_all(options.state or default_state(), keys, options.ignore_not_found)
    return exitcodes.OK


def _keys(options: argparse.Namespace, namespace: str) -> "list[Key]":
    from swiftlet.cli.acting.deleting import named_by_arguments, named_by_files

    if options.filename:
        return named_by_files(options.filename, namespace)
    return named_by_arguments(options.target, namespace)
