"""Entry point: parse, run one command, turn failures into messages and exit codes.

Nothing heavy is imported before the command is known, so that --help answers at once.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from swiftlet import __version__
from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_place
from swiftlet.cli.commands import (
    chat,
    compare,
    completion,
    crds,
    delete,
    describe,
    events,
    get,
    logs,
    operator,
    plan,
    preview,
    report,
    run,
    top,
    ui,
    validate,
    version,
    wait,
)
from swiftlet.cli.parsing import parse
from swiftlet.cli.standardstreams import open_standard_streams

COMMANDS = (
    run, validate, plan, preview, get, describe, logs, events, top, wait, chat, compare, report, ui, delete, crds,
    operator, completion, version
)  # fmt: skip

DESCRIPTION = (
    "Fine-tune, evaluate and serve language models from Kubernetes documents: here with no cluster, and with"
    " --context what runs on one is read, watched and talked to."
)
EXAMPLES = """examples:
  swiftlet run examples/quickstart --ask "Who are you?"   train, evaluate, serve, and ask
  swiftlet get -w                                         watch from another terminal
  swiftlet logs finetunejob/bird -f                       follow the trainer
  swiftlet --context prod -n team get                     the same of a cluster
  swiftlet COMMAND --help                                 examples of each command

"""


def build_parser(prog: str = "swiftlet") -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=DESCRIPTION,
        epilog=EXAMPLES + exitcodes.HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        exit_on_error=False,
    )
    parser.add_argument("--version", action="version", version=f"swiftlet {__version__}")
    add_place(parser)
    parser.set_defaults(reads_both_worlds=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


def plugin() -> int:
    """`kubectl swiftlet`: the same, but what reads either world reads a cluster unless --state is given."""
    return main(prog="kubectl swiftlet")


def complete_plugin() -> int:
    """`kubectl_complete-swiftlet WORDS`: what kubectl asks when somebody presses TAB behind `kubectl swiftlet`."""
    from swiftlet.cli.completing import for_kubectl

    parser = build_parser("kubectl swiftlet")
    parser.set_defaults(plugin=True)
    print(for_kubectl(parser, sys.argv[1:]), end="")
    return exitcodes.OK


def main(arguments: Sequence[str] | None = None, prog: str = "swiftlet") -> int:
    """Run one command line; the result is the process's exit code."""
    open_standard_streams()
    parser = build_parser(prog)
    parser.set_defaults(plugin=prog != "swiftlet")
    if "_ARGCOMPLETE" in os.environ:
        from swiftlet.cli.completing import complete

        complete(parser)
    options = parse(parser, sys.argv[1:] if arguments is None else arguments)
    if options.command is None:
        parser.print_help()
        return exitcodes.INVALID
    if unread := _unread(options):
        parser.error(f"`{options.command}` reads no cluster, so {', '.join(unread)} would mean nothing to it")
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


def _unread(options: argparse.Namespace) -> list[str]:
    """The options before the command that it would not look at."""
    if options.reads_both_worlds:
        return []
    operates = options.command == "operator" and options.action == "run"
    names = ["context", "namespace", *([] if operates else ["kubeconfig"])]
    return [f"--{name}" for name in names if getattr(options, name) is not None]


if __name__ == "__main__":
    sys.exit(main())
