"""`swiftlet get`."""

import argparse
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_output, add_world

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "get",
        "Show resources as a table",
        "The columns are those of kubectl. KIND is a name, plural or short name, or several with commas.",
        """swiftlet get
        swiftlet get ftj,evr -o wide
        swiftlet get finetunejob bird -o yaml
        swiftlet get ftj bird -o jsonpath='{.status.artifact.uri}'
        swiftlet get pods -l swiftlet.dev/name=bird -w""",
    )
    parser.add_argument(
        "kind", nargs="?", metavar="KIND", help="ftj, evr, mdep, cprof, pods, jobs, ...; all when left out"
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    parser.add_argument("-w", "--watch", action="store_true", help="go on printing rows that change, until Ctrl-C")
    parser.add_argument(
        "-l",
        "--selector",
        metavar="LABELS",
        help="only what has these labels: key=value, key!=value, 'key in (a,b)', ...",
    )
    add_output(parser, "wide", "json", "yaml", "name", "jsonpath=TEMPLATE")
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="of every namespace")
    add_world(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what is there, then, with --watch, what changes."""
    from swiftlet.cli.errors import CommandError
    from swiftlet.cli.reading.listing import Listing, print_listing, selection, watch
    from swiftlet.cli.reading.resourcekinds import ALL
    from swiftlet.cli.reading.selectors import parse_selector
    from swiftlet.cli.reading.worlds import open_world

    wanted = selection(options.kind, options.names)
    selector = parse_selector(options.selector or "")
    if selector and any(one.names for one in wanted):
        raise CommandError("give either names or a selector (-l)", exitcodes.INVALID)
    world = open_world(options)
    namespace = None if options.all_namespaces else options.namespace or world.namespace
    is_named = options.kind not in (None, *ALL)
    listing = Listing(world, wanted, namespace, options.output, selector, is_named)
    printed = print_listing(listing)
    if options.watch:
        watch(listing, printed)
    return exitcodes.OK
