"""`swiftlet top`."""

import argparse
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_world

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands
    from swiftlet.cli.reading.world import World


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "top",
        "Show what is at work: progress, loss, speed, GPUs, pods, restarts",
        "Runs that have begun and not ended, and models that are served. GPUs are those of running pods.",
        """swiftlet top
        swiftlet --context prod top -A -w""",
    )
    parser.add_argument("-w", "--watch", action="store_true", help="print it again and again, until Ctrl-C")
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="of every namespace")
    add_world(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the table, with --watch on a cleared terminal each time."""
    import sys
    import time

    from swiftlet.cli.reading.worlds import open_world

    world = open_world(options)
    namespace = None if options.all_namespaces else options.namespace or world.namespace
    _print(world, namespace)
    while options.watch:
        time.sleep(max(world.pause, 1.0))
        print("\x1b[H\x1b[2J" if sys.stdout.isatty() else "", end="" if sys.stdout.isatty() else "\n")
        _print(world, namespace)
    return exitcodes.OK


def _print(world: "World", namespace: str | None) -> None:
    import sys
    from datetime import UTC, datetime

    from swiftlet.cli.reading.livejobs import live, pods_of, table

    items = live(world, namespace)
    if items:
        print(table(items, pods_of(world, namespace, items), datetime.now(UTC), namespace is None), flush=True)
        return
    if namespace:
        world.check_namespace(namespace)
    print("Nothing is at work.", file=sys.stderr)
