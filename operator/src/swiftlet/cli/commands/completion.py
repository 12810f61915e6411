"""`swiftlet completion`."""

import argparse
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command

if TYPE_CHECKING:
    from swiftlet.cli.arguments import Commands

SHELLS = ("bash", "zsh", "fish")


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "completion",
        "Print what makes a shell complete commands, options and names",
        "Names are those of the state folder, or of the cluster that the command line means.",
        """swiftlet completion bash > ~/.local/share/bash-completion/completions/swiftlet
        swiftlet completion fish > ~/.config/fish/completions/swiftlet.fish
        source <(swiftlet completion zsh)""",
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell that is to run it")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the script of one shell."""
    from swiftlet.cli.completing import script

    print(script(options.shell))
    return exitcodes.OK
