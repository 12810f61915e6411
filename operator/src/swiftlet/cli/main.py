"""Entry point: parse, run one command, turn failures into messages and exit codes.

Nothing heavy is imported before the command is known, so that --help answers at once.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from swiftlet import __version__
from swiftlet.cli import exitcodes
from swiftlet.cli.commands import (
    chat,
    compare,
    crds,
    delete,
    describe,
    events,
    get,
    logs,
    operator,
    plan,
    run,
    validate,
    version,
)
from swiftlet.cli.parsing import parse
from swiftlet.cli.standardstreams import open_standard_streams

COMMANDS = (run, validate, plan, get, describe, logs, events, chat, compare, delete, crds, operator, version)

DESCRIPTION = "Fine-tune, evaluate and serve language models from Kubernetes documents, with no cluster."
EXAMPLES = """examples:
  swiftlet run examples/quickstart --ask "Who are you?"   train, evaluate, serve, and ask
  swiftlet get -w                                         watch from another terminal
  swiftlet logs finetunejob/bird -f                       follow the trainer
  swiftlet COMMAND --help                                 examples of each command

"""


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="swiftlet",
        description=DESCRIPTION,
        epilog=EXAMPLES + exitcodes.HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        exit_on_error=False,
    )
    parser.add_argument("--version", action="version", version=f"swiftlet {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the result is the process's exit code."""
    open_standard_streams()
    parser = build_parser()
    options = parse(parser, sys.argv[1:] if arguments is None else arguments)
    if options.command is None:
        parser.print_help()
        return exitcodes.INVALID
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) has what it wanted. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exitcodes.OK
    except KeyboardInterrupt:
        return exitcodes.INTERRUPTED
    except Exception as error:
        from swiftlet.cli.printing.complaints import complain

        return complain(error)
    return code


if __name__ == "__main__":
    sys.exit(main())
