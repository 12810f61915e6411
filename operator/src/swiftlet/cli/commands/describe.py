"""`swiftlet describe`."""

import argparse
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_namespace, add_state

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
    add_namespace(parser)
    add_state(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the description."""
    from swiftlet.cli.reading.describing import description
    from swiftlet.cli.reading.statefolder import existing, open_store, split_target, the_only

    store = open_store(options.state)
    kind, name = split_target(options.target)
    item = existing(store, kind, options.namespace, name) if kind else the_only(store, options.namespace, name)
    print(description(store, item, options.state), flush=True)
    return exitcodes.OK
