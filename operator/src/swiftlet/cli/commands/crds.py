"""`swiftlet crds`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "crds",
        "Print or write the CustomResourceDefinitions",
        examples="""swiftlet crds | kubectl apply --server-side -f -
        swiftlet crds --output crds""",
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="write one file for each kind into this folder")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the CRDs as one YAML stream, or write them as files."""
    from swiftlet.api.schema.crd import render_crds, write_crds

    if options.output:
        for path in write_crds(options.output):
            print(path)
        return exitcodes.OK
    print("---\n".join(render_crds().values()), end="")
    return exitcodes.OK
