"""`swiftlet ui`."""

import argparse
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_world

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands

LAST_PORT = 65535


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "ui",
        "Show runs, curves, data, evaluations, lineage, logs and a chat as a page",
        "For you alone: the URL that is printed carries a token. Of a cluster with your own rights. Ctrl-C stops.",
        """swiftlet ui
        swiftlet ui --port 9000 --no-open
        swiftlet --context prod -n team ui""",
    )
    parser.add_argument(
        "--port", type=_port, default=8410, metavar="N", help="port to listen on; 0: any (default: 8410)"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="HOST",
        help="address to listen on (default: 127.0.0.1, this machine alone); whoever has the URL may do what you may",
    )
    parser.add_argument("--no-open", action="store_true", help="open no browser")
    add_world(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    from swiftlet.cli.arguments import default_state
    from swiftlet.cli.errors import CommandError
    from swiftlet.cli.reading.worlds import open_world

    world = open_world(options)
    try:
        from swiftlet.cli.reading.clusterworld import ClusterWorld
        from swiftlet.cli.ui.pages.frame import Site
        from swiftlet.cli.ui.server import Address, serve
    except ModuleNotFoundError as error:
        raise CommandError(
            f"{error.name} is not installed; the page needs: pip install 'swiftlet[ui]'", exitcodes.INVALID
        ) from error
    if isinstance(world, ClusterWorld):
        # Each reading of a cluster is a dozen requests.
        where, every = world.connection.access.where, 5.0
    else:
        where, every = f"state folder {options.state or default_state()}", 2.0
    site = Site(world, options.namespace or world.namespace, where, every)
    serve(site, Address(options.host, options.port, not options.no_open))
    return exitcodes.OK


def _port(text: str) -> int:
    """Raises ArgumentTypeError."""
    if text.isascii() and text.isdigit() and int(text) <= LAST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port; write a number from 0 (any) to {LAST_PORT}")
