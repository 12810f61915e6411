"""`swiftlet preview`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_output, add_state

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands

SHOWN_ROWS, CHECKED_ROWS = 3, 1000
"""Of each data set, when nothing else is asked for."""


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "preview",
        "Show the first rows of a FineTuneJob as the tokens that would be learnt",
        "Each token with its weight in the loss, what was dropped and why, and whether answers begin and end as"
        " generation does. Trains nothing and writes nothing but the page. Fails (2) when a check does.",
        """swiftlet preview finetunejob.yaml
        swiftlet preview finetunejob.yaml --rows 10 --html page.html
        swiftlet preview finetunejob.yaml --all -o json""",
    )
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="file, folder, folder with a kustomization, or - for stdin"
    )
    text = f"usable rows of each data set to show (default: {SHOWN_ROWS})"
    parser.add_argument("--rows", type=_rows, default=SHOWN_ROWS, metavar="N", help=text)
    text = f"read and check all rows (default: the first {CHECKED_ROWS:,} of each data set)"
    parser.add_argument("--all", action="store_true", help=text)
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page that shows the same")
    add_output(parser, "json", "yaml")
    add_state(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the preview of every FineTuneJob of the documents; fails when a check does, or a row has a problem."""
    import os

    from swiftlet.cli.acting.machinefiles import machine_problems
    from swiftlet.cli.acting.planning import plan_documents
    from swiftlet.cli.acting.previewing import PreviewRequest, capabilities, previews
    from swiftlet.cli.printing.output import print_document
    from swiftlet.cli.printing.tokenview import print_preview
    from swiftlet.documents import read_documents
    from swiftlet.local.places import models_mirror
    from swiftlet.local.store import Store

    existing = Store(options.state, read_only=True).list()
    documents = read_documents(
        options.paths, existing=existing, also=lambda read: machine_problems(read, existing, options.state, os.environ)
    )
    planned, world = plan_documents(documents, existing, capabilities())
    most = None if options.all else max(CHECKED_ROWS, options.rows)
    request = PreviewRequest(options.state, models_mirror(os.environ), options.rows, most, options.html)
    found = previews([one for one in planned if one.resource["kind"] == "FineTuneJob"], world, request)
    if options.output:
        print_document({"previews": [one.document() for one in found]}, options.output)
    else:
        for one in found:
            print_preview(one, options.html)
    return exitcodes.OK if all(one.is_good for one in found) else exitcodes.INVALID


def _rows(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows, 1 at least")
    return int(text)
