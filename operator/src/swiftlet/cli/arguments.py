"""Arguments that several commands share."""

import argparse
import os
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

DEFAULT_STATE = ".swiftlet"
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")


def add_command(
    commands: "Commands", name: str, summary: str, details: str = "", examples: str = ""
) -> argparse.ArgumentParser:
    """A subcommand with a description and examples in its --help. `examples` are command lines, one each line."""
    listed = "\n".join(f"  {line.strip()}" for line in examples.strip().splitlines())
    return commands.add_parser(
        name,
        help=summary[0].lower() + summary[1:],
        description=textwrap.fill(f"{summary}. {details}".strip(), 90),
        epilog=f"examples:\n{listed}" if listed else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def default_state() -> Path:
    """The state folder where none is named."""
    return Path(os.environ.get("SWIFTLET_STATE") or DEFAULT_STATE)


def add_state(parser: argparse.ArgumentParser) -> None:
    """--state, on commands that know this machine alone."""
    _add_state(parser, default_state())


def add_world(parser: argparse.ArgumentParser) -> None:
    """--state, or --context and --kubeconfig; and -n/--namespace: on every command that reads either world."""
    _add_state(parser, None)
    add_place(parser, argparse.SUPPRESS)
    parser.set_defaults(reads_both_worlds=True)


def add_place(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """--context, --kubeconfig and -n/--namespace, before the command or behind it."""
    text = "read the cluster of this context of the kubeconfig, with your own rights, instead of a state folder"
    parser.add_argument("--context", default=default, metavar="NAME", help=text)
    text = "kubeconfig to read (default: $KUBECONFIG, else ~/.kube/config); alone: its current context"
    parser.add_argument("--kubeconfig", type=Path, default=default, metavar="FILE", help=text)
    text = "namespace (default: the context's; default in a state folder)"
    parser.add_argument("-n", "--namespace", default=default, help=text)


def address(text: str) -> tuple[str, int]:
    """HOST:PORT. Raises ArgumentTypeError."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, such as 0.0.0.0:8080 or :8080")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - what an absent host means everywhere


def is_on_cluster(options: argparse.Namespace) -> bool:
    """Whether the command line means a cluster."""
    named = options.context or options.kubeconfig
    return bool(named or (options.plugin and not options.state))


def _add_state(parser: argparse.ArgumentParser, default: Path | None) -> None:
    parser.add_argument(
        "--state",
        type=Path,
        default=default,
        metavar="DIR",
        help="state folder: objects, logs, artifacts (default: $SWIFTLET_STATE, else .swiftlet)",
    )


class _Formats(tuple[str, ...]):
    """Choices of -o; of one that ends in `=TEXT` every text is one."""

    def __contains__(self, word: object) -> bool:
        heads = tuple(f"{choice.partition('=')[0]}=" for choice in self if "=" in choice)
        return super().__contains__(word) or (isinstance(word, str) and bool(heads) and word.startswith(heads))


def add_output(parser: argparse.ArgumentParser, *formats: str) -> None:
    """-o/--output."""
    choices = _Formats(formats)
    parser.add_argument("-o", "--output", choices=choices, metavar="|".join(formats), help="print as this instead")


def duration(text: str) -> float:
    """Seconds of a Go duration such as 30s or 1h30m. Source: time.ParseDuration."""
    parts = _DURATION.findall(text)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text or seconds <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration; write one such as 30s, 5m or 1h30m")
    return seconds
