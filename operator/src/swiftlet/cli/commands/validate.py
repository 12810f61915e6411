"""`swiftlet validate`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_output

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "validate",
        "Check documents and start nothing",
        "Reports every problem of every file at once, with line, field, value, rule and remedy.",
        """swiftlet validate finetunejob.yaml
        swiftlet validate examples/quickstart -o json""",
    )
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="file, folder, folder with a kustomization, or - for stdin"
    )
    add_output(parser, "json", "yaml")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print one line for each good document; raise InvalidDocuments for the others."""
    from dataclasses import asdict

    from swiftlet.api.schema.problems import InvalidDocuments
    from swiftlet.cli.printing.output import print_document
    from swiftlet.documents import read_documents

    try:
        documents = read_documents(options.paths)
    except InvalidDocuments as error:
        if not options.output:
            raise
        print_document({"valid": False, "problems": [asdict(problem) for problem in error.problems]}, options.output)
        return exitcodes.INVALID
    if options.output:
        print_document({"valid": True, "problems": []}, options.output)
        return exitcodes.OK
    for document in documents:
        print(f"{document.kind.lower()}/{document.name} is valid ({document.source.file})")
    return exitcodes.OK
