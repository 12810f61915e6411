"""docs/reference/cli.md, generated from the parser: `python -m swiftlet.cli.reference FILE`."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from swiftlet.cli import exitcodes
from swiftlet.cli.main import DESCRIPTION, build_parser


def render_reference() -> str:
    """The page. It is made from the arguments and not from --help, whose layout depends on Python and terminal."""
    sections = [_section(name, command) for name, command in _commands(build_parser())]
    head = ["# The `swiftlet` command", "Generated from the parser; do not edit.", DESCRIPTION]
    return "\n\n".join([*head, *sections, "## Exit codes", _exit_codes()]) + "\n"


def _commands(parser: argparse.ArgumentParser, above: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Commands with their own arguments; of one that only has actions, the actions."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                actions = list(_commands(command, f"{above}{name} "))
                yield from actions or [(above + name, command)]


def _section(name: str, command: argparse.ArgumentParser) -> str:
    arguments = [action for action in command._actions if not isinstance(action, argparse._HelpAction)]
    rows = [f"| `{_spelled(action)}` | {_escaped(action.help or '')} |" for action in arguments]
    table = ["| argument | meaning |", "| --- | --- |", *rows]
    examples = (command.epilog or "").partition("\n\n")[0].removeprefix("examples:\n")
    lines = "\n".join(line.strip() for line in examples.splitlines())
    description = " ".join((command.description or "").split())
    parts = [f"## swiftlet {name}", description, *(["\n".join(table)] if rows else []), f"```console\n{lines}\n```"]
    return "\n\n".join(parts)


def _spelled(action: argparse.Action) -> str:
    """`-o, --output json|yaml`, or the name of a positional argument."""
    choices = "|".join(map(str, action.choices)) if action.choices else ""
    value = choices or action.metavar or action.dest.upper()
    word = value if isinstance(value, str) else " ".join(value)
    if not action.option_strings:
        return word + ("..." if action.nargs in ("+", "*") and not word.endswith("...") else "")
    return _escaped(", ".join(action.option_strings) + ("" if action.nargs == 0 else f" {word}"))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _exit_codes() -> str:
    rows = [line.split(maxsplit=1) for line in exitcodes.HELP.splitlines()[1:]]
    return "\n".join(["| code | meaning |", "| --- | --- |", *(f"| {code} | {words} |" for code, words in rows)])


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference/cli.md").write_text(render_reference(), encoding="utf-8")
