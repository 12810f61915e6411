"""`swiftlet logs`."""

import argparse
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_world, duration

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "logs",
        "Print the logs of a resource's pods, or of one pod",
        "Of a resource: every container of the first pod of the newest attempt.",
        """swiftlet logs finetunejob/bird -f
        swiftlet logs ftj/bird --all-pods
        swiftlet logs bird-train-0-1 -c train
        swiftlet logs mdep/bird --previous --tail 50
        swiftlet logs mdep/bird --since 5m""",
    )
    parser.add_argument("target", nargs="+", metavar="TARGET", help="KIND/NAME, or a pod's name")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the pods have ended, or Ctrl-C")
    parser.add_argument("-c", "--container", help="only this container (prepare, train, evaluate, serve)")
    parser.add_argument("-p", "--previous", action="store_true", help="the run before the last restart")
    parser.add_argument("--all-pods", action="store_true", help="every pod of the attempt, each line with its origin")
    parser.add_argument("--tail", type=int, metavar="N", help="only the last N lines")
    parser.add_argument(
        "--since", type=duration, metavar="DURATION", help="only what was written within this time: 30s, 5m, 1h30m"
    )
    parser.add_argument("--timestamps", action="store_true", help="each line with its time")
    add_world(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what is there, then, with --follow, what comes."""
    from datetime import UTC, datetime, timedelta

    from swiftlet.cli.reading.finding import existing, split_target, the_only
    from swiftlet.cli.reading.logprinting import LogRequest, print_logs
    from swiftlet.cli.reading.world import Choice
    from swiftlet.cli.reading.worlds import open_world

    world = open_world(options)
    namespace = options.namespace or world.namespace
    kind, name = split_target(options.target)
    item = existing(world, kind, namespace, name) if kind else the_only(world, namespace, name)
    choice = Choice(options.container, options.previous, options.all_pods)
    since = datetime.now(UTC) - timedelta(seconds=options.since) if options.since else None
    print_logs(LogRequest(world, item, choice, options.follow, options.tail, options.timestamps, since))
    return exitcodes.OK
