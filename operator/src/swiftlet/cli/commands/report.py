"""`swiftlet report`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_world

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "report",
        "Print where the HTML page of a FineTuneJob or EvalRun lies, or copy it",
        "On a cluster it lies on a volume, which no API server reads: fails with the commands that fetch it, through a"
        " pod that mounts the volume.",
        """swiftlet report evalrun/bird
        swiftlet report finetunejob bird --to bird.html
        swiftlet --context prod report evalrun/bird""",
    )
    parser.add_argument("target", nargs="+", metavar="KIND NAME", help="or KIND/NAME")
    parser.add_argument("--to", type=Path, metavar="PATH", help="copy it to this file, or into this folder")
    add_world(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the path of the page, or of its copy."""
    from swiftlet.cli.acting.reporting import copied, how_to_fetch
    from swiftlet.cli.errors import CommandError
    from swiftlet.cli.places import report_uri, reports
    from swiftlet.cli.reading.finding import children_of, existing, split_target
    from swiftlet.cli.reading.worlds import open_world

    world = open_world(options)
    kind, name = split_target(options.target)
    if kind is None or kind.name not in ("FineTuneJob", "EvalRun"):
        raise CommandError("reports are of finetunejobs and evalruns; write KIND/NAME", exitcodes.INVALID)
    namespace = options.namespace or world.namespace
    item = existing(world, kind, namespace, name)
    uri, pages = report_uri(item), reports(world.folder, item) if world.folder else []
    if uri is None or (world.folder and not pages):
        raise CommandError(f"{kind.name.lower()}/{name} has left no report yet; `swiftlet describe` says how far it is")
    if not world.folder:
        own = [child for child in children_of(world, item) if child["kind"] == "Pod"]
        raise CommandError(how_to_fetch(item, uri, [*own, *world.list("Pod", namespace)]))
    for page in copied(pages, options.to) if options.to else pages:
        print(page.absolute())
    return exitcodes.OK
