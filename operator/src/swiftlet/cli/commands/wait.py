"""`swiftlet wait`."""

import argparse
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_world, duration

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "wait",
        "Wait until resources have come to an end, or to a condition",
        "Ends with 1, and the cause, as soon as what is waited for cannot come any more: a run has failed, a resource"
        " was deleted. Ends with 4 when --timeout is over.",
        """swiftlet wait finetunejob/bird
        swiftlet --context prod wait mdep/bird --for=condition=Ready --timeout 10m
        swiftlet wait evr/bird --for=condition=GatePassed
        swiftlet wait ftj/bird --for=jsonpath='{.status.progress.step}'=100
        swiftlet wait ftj bird --for=delete""",
    )
    parser.epilog = f"{parser.epilog}\n\n{exitcodes.HELP}"
    parser.add_argument("target", nargs="+", metavar="KIND NAME...", help="or KIND/NAME...")
    parser.add_argument(
        "--for",
        dest="goal",
        default="condition=Complete",
        metavar="GOAL",
        help="condition=TYPE[=STATUS], jsonpath={PATH}[=VALUE] or delete (default: condition=Complete, which is"
        " Succeeded of a FineTuneJob and an EvalRun, and Ready of a ModelDeployment)",
    )
    parser.add_argument(
        "--timeout", type=duration, metavar="DURATION", help="give up after this time: 30s, 5m, 1h30m (default: never)"
    )
    add_world(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Wait; the exit code says whether all has come."""
    from swiftlet.cli.acting.deleting import named_by_arguments
    from swiftlet.cli.acting.waiting import Awaited, checked, parse_goal, wait_for
    from swiftlet.cli.reading.finding import existing
    from swiftlet.cli.reading.resourcekinds import kind_of
    from swiftlet.cli.reading.worlds import open_world

    goal, world = parse_goal(options.goal), open_world(options)
    keys = named_by_arguments(options.target, options.namespace or world.namespace, "wait for")
    awaited = [Awaited(kind, namespace or None, name, checked(goal, kind)) for kind, namespace, name in keys]
    for one in awaited if not goal.is_deletion else ():
        existing(world, kind_of(one.kind), one.namespace or "", one.name)
    wait_for(world, awaited, options.timeout)
    return exitcodes.OK
