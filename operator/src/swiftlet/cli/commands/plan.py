"""`swiftlet plan`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_output, add_state

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "plan",
        "Show what `run` would create, and what it would need",
        "Starts nothing. Of a FineTuneJob: processes, batch, parameters, memory, disk, steps. References are taken as"
        " fulfilled.",
        """swiftlet plan examples/quickstart
        swiftlet plan finetunejob.yaml -o yaml""",
    )
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="file, folder, folder with a kustomization, or - for stdin"
    )
    add_output(parser, "json", "yaml")
    add_state(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the plan; fails when a resource would be refused."""
    import os
    import sys

    from swiftlet.cli.acting.machinefiles import machine_problems
    from swiftlet.cli.acting.planning import plan_documents
    from swiftlet.cli.acting.planreport import document_of, text_of
    from swiftlet.cli.acting.sizing import needs_of
    from swiftlet.cli.printing.output import print_document
    from swiftlet.documents import read_documents
    from swiftlet.local.places import models_mirror
    from swiftlet.local.store import Store

    existing = Store(options.state, read_only=True).list()
    documents = read_documents(options.paths, existing=existing)
    for problem in machine_problems(documents, existing, options.state, os.environ):
        print(f"WARNING {problem}", file=sys.stderr)  # the documents may be meant for a cluster, which has it
    planned, world = plan_documents(documents, existing)
    mirror = models_mirror(os.environ)
    found = [
        (one, needs_of(one, world, options.state, mirror) if one.resource["kind"] == "FineTuneJob" else None)
        for one in planned
    ]
    if options.output:
        print_document({"resources": [document_of(*pair) for pair in found]}, options.output)
    else:
        print("\n\n".join(text_of(*pair) for pair in found))
    return exitcodes.FAILED if any(one.refusal for one in planned) else exitcodes.OK
