"""`swiftlet describe`."""

import argparse
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_world

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "describe",
        "Show all about one resource: failure, spec, status, conditions, children, events",
        examples="""swiftlet describe finetunejob bird
        swiftlet describe pod/bird-train-0-0""",
    )
    parser.add_argument("target", nargs="+", metavar="KIND NAME", help="or KIND/NAME")
    add_world(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the description."""
    from swiftlet.cli.reading.describing import description
    from swiftlet.cli.reading.finding import existing, split_target, the_only
    from swiftlet.cli.reading.worlds import open_world

    world = open_world(options)
    namespace = options.namespace or world.namespace
    kind, name = split_target(options.target)
    item = existing(world, kind, namespace, name) if kind else the_only(world, namespace, name)
    print(description(world, item), flush=True)
    return exitcodes.OK
