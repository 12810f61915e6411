"""What a command line that is held wrongly gets: the usage of its own command, and the nearest word that there is."""

import argparse
from collections.abc import Iterable, Sequence


def parse(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """The options; ends the process with a message when there is something that they do not know."""
    commands = _commands(parser)
    try:
        options, unknown = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        words = [word for word in arguments if not word.startswith("-")]
        parser.error(f"{error}{_hint(words[:1], commands)}")
    if unknown:
        command = commands.get(options.command, parser)
        hint = _hint([word.partition("=")[0] for word in unknown if word.startswith("--")], _options(command))
        command.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    return options


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found[0].choices)


def _options(parser: argparse.ArgumentParser) -> list[str]:
    return [text for action in parser._actions for text in action.option_strings if text.startswith("--")]


def _hint(words: Iterable[str], there_are: Iterable[str]) -> str:
    from swiftlet.api.schema.validation import nearest

    choices = list(there_are)
    close = [found for word in words if (found := nearest(word, choices))]
    return f"; did you mean {', '.join(dict.fromkeys(close))}?" if close else ""
