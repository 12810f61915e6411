"""Arguments for an engine's own command line, as documents carry them."""

import re
from collections.abc import Mapping, Sequence


def flags_of(arguments: Sequence[str]) -> list[str]:
    """The flags among `arguments` as the engines' parsers know them: with dashes, without `=VALUE` or `.KEY`."""
    given = [one for one in arguments if one.startswith("-") and not re.fullmatch(r"-[\d.].*", one)]
    return [re.split(r"[=.+]", one, maxsplit=1)[0].replace("_", "-") for one in given]


def refused_argument_problems(refused: Mapping[str, str], arguments: Sequence[str]) -> list[str]:
    """Which of a document's engine arguments are not its to set, and what to do instead. refused: the engine's."""
    keys = {flag: flag if flag in refused else f"--{flag.removeprefix('--no-')}" for flag in flags_of(arguments)}
    return [f"engine.args: {flag} is not yours to set: {refused[key]}" for flag, key in keys.items() if key in refused]
