"""`swiftlet events`."""

import argparse
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_output, add_world

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "events",
        "Show what happened, oldest first",
        "With KIND/NAME: to that resource and to everything that was made for it.",
        """swiftlet events
        swiftlet events finetunejob/bird""",
    )
    parser.add_argument("target", nargs="*", metavar="KIND/NAME", help="only about this resource and its children")
    add_output(parser, "json", "yaml")
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="of every namespace")
    add_world(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the events as a table."""
    import sys

    from swiftlet.cli.printing.output import print_objects
    from swiftlet.cli.printing.table import render
    from swiftlet.cli.reading.columns import NAMESPACE, rows_of
    from swiftlet.cli.reading.finding import events_about, existing, split_target, the_only
    from swiftlet.cli.reading.resourcekinds import kind_of
    from swiftlet.cli.reading.worlds import open_world

    world = open_world(options)
    namespace = options.namespace or world.namespace
    if options.target:
        kind, name = split_target(options.target)
        item = existing(world, kind, namespace, name) if kind else the_only(world, namespace, name)
        found = events_about(world, item, namespace)
    else:
        found = world.events(namespace=None if options.all_namespaces else namespace)
    if options.output:
        print_objects(found, options.output)
    elif found:
        first = [NAMESPACE] if options.all_namespaces else []
        print(render(*rows_of(kind_of("events"), found, first=first)))
    else:
        if not options.all_namespaces:
            world.check_namespace(namespace)
        print("No events found.", file=sys.stderr)
    return exitcodes.OK
