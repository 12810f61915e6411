"""`swiftlet run`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_state

if TYPE_CHECKING:
    from swiftlet.cli.acting.running import View
    from swiftlet.cli.arguments import Commands


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "run",
        "Train, evaluate and serve on this machine what documents describe",
        "Goes on where an earlier run of the same state folder ended; what has succeeded is not done again.",
        """swiftlet run examples/quickstart --ask "Who are you?"
        swiftlet run finetunejob.yaml --timeout 600
        swiftlet run finetunejob.yaml --replace
        swiftlet run pipeline/ --keep
        kustomize build overlays/laptop | swiftlet run -""",
    )
    parser.epilog = f"{parser.epilog}\n\n{exitcodes.HELP}"
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="file, folder, folder with a kustomization, or - for stdin"
    )
    parser.add_argument("--keep", action="store_true", help="go on serving until Ctrl-C")
    parser.add_argument(
        "--replace", action="store_true", help="make anew what failed, or whose immutable fields were changed"
    )
    parser.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="give up (and drain) after this time")
    parser.add_argument("--ask", metavar="QUESTION", help="ask every served model this, and print the answers")
    parser.add_argument("-o", "--output", choices=["plain"], help="plain lines, also on a terminal")
    add_state(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run to the end; the exit code says whether all succeeded."""
    import asyncio
    import os
    from functools import partial

    from swiftlet.cli.acting.machinefiles import machine_problems
    from swiftlet.cli.acting.running import RunRequest
    from swiftlet.cli.acting.running import run as run_engine
    from swiftlet.documents import read_documents
    from swiftlet.local.store import Store

    existing = Store(options.state, read_only=True).list()
    also = partial(machine_problems, existing=existing, state=options.state, environ=os.environ)
    documents = read_documents(options.paths, existing=existing, also=also)
    request = RunRequest(tuple(documents), options.state, options.keep, options.replace, options.timeout, options.ask)
    return asyncio.run(run_engine(request, _view(options.output == "plain")))


def _view(plain: bool) -> "View":
    import os

    from swiftlet.cli.printing.plainview import PlainView, is_plain

    if is_plain(plain, dict(os.environ)):
        return PlainView()
    from swiftlet.cli.printing.liveview import LiveView

    return LiveView()


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds greater than 0")
    return value
