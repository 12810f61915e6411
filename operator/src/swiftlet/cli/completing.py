"""What a shell may complete: the parser's own words by argcomplete, and names of what there is, in either world."""

import argparse
import io
import os
import shlex
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from swiftlet.cli.errors import CommandError

PATIENCE = 2.0
"""Seconds that a shell waits for names; a cluster that is far away has none."""
Names = list[str]
Completer = Callable[..., Names]
NO_SPACE, NO_FILES = 2, 4
"""What kubectl's shell is told beside the words: the bits of cobra's ShellCompDirective."""


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell that asks for this process by $_ARGCOMPLETE, and end it."""
    try:
        from argcomplete import autocomplete
    except ModuleNotFoundError:
        raise SystemExit(1) from None  # the shell shows nothing of what is printed here
    name_completers(parser)
    autocomplete(parser)


def for_kubectl(parser: argparse.ArgumentParser, words: Sequence[str]) -> str:
    """What kubectl takes behind `kubectl swiftlet WORDS`, the last of which is not complete: a line each, and bits.

    Source: kubernetes.io, "Extend kubectl with plugins", on kubectl_complete-PLUGIN.
    """
    from argcomplete import autocomplete

    name_completers(parser)
    line, told = " ".join([parser.prog.split()[-1], *map(shlex.quote, words[:-1]), *words[-1:]]), io.StringIO()
    os.environ |= {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "COMP_LINE": line, "COMP_POINT": str(len(line))}
    autocomplete(parser, exit_method=lambda _code: None, output_stream=told, append_space=False)
    found = [word for word in told.getvalue().splitlines() if word]
    bits = NO_FILES | (NO_SPACE if found and all(word.endswith(("/", "=")) for word in found) else 0)
    return "".join(f"{word}\n" for word in [*found, f":{bits}"])


def name_completers(parser: argparse.ArgumentParser) -> None:
    """Give the arguments that name something the attribute by which argcomplete finds what there is."""
    for action in _actions(parser):
        if completer := COMPLETERS.get(action.dest):
            action.completer = completer  # type: ignore[attr-defined]


def script(shell: str) -> str:
    """What a shell has to run to be told. Raises CommandError where argcomplete is not installed."""
    try:
        from argcomplete import shellcode
    except ModuleNotFoundError as error:
        raise CommandError("completion needs argcomplete: pip install 'swiftlet[completion]'") from error
    return shellcode(["swiftlet"], shell=shell)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)


def _quietly(names: Callable[[str, argparse.Namespace], Names]) -> Completer:
    """The names, or none where they cannot be had: somebody types, and asks for no reasons."""

    def asked(prefix: str, parsed_args: argparse.Namespace, **_others: Any) -> Names:
        try:
            return names(prefix, parsed_args)
        except Exception:
            return []

    return asked


@contextmanager
def _patience() -> Iterator[None]:
    def give_up(*_signal: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _names(options: argparse.Namespace, kind: str) -> Names:
    """The names of a kind, in the world and namespace of the command line so far."""
    from swiftlet.cli.reading.worlds import open_world
    from swiftlet.cluster.kinds import READ_TYPES

    given = {name: getattr(options, name, None) for name in ("context", "kubeconfig", "state", "namespace", "plugin")}
    world = open_world(argparse.Namespace(**given))
    namespace = given["namespace"] or world.namespace
    with _patience():
        found = world.list(kind, namespace if READ_TYPES[kind].namespaced else None)
    return [item["metadata"]["name"] for item in found]


def _targets(prefix: str, options: argparse.Namespace, before: list[str]) -> Names:
    """`KIND`, `KIND/NAME`, or a name behind a kind."""
    from swiftlet.cli.reading.resourcekinds import CHILDREN, OURS, kind_of

    word, slash, _ = prefix.partition("/")
    if slash:
        return [f"{word}/{name}" for name in _names(options, kind_of(word).name)]
    if before and "/" not in before[0]:
        return _names(options, kind_of(before[0]).name)
    return [kind.name.lower() for kind in (*OURS, *CHILDREN)]


def _contexts(_prefix: str, options: argparse.Namespace) -> Names:
    from swiftlet.cluster.kubeconfigs import contexts

    return contexts(getattr(options, "kubeconfig", None))


def _before(options: argparse.Namespace, field: str) -> list[str]:
    found = getattr(options, field, None)
    return found if isinstance(found, list) else [found] if found else []


COMPLETERS: dict[str, Completer] = {
    "target": _quietly(lambda prefix, options: _targets(prefix, options, _before(options, "target"))),
    "kind": _quietly(lambda prefix, options: _targets(prefix, options, [])),
    "names": _quietly(lambda prefix, options: _targets(prefix, options, _before(options, "kind"))),
    "name": _quietly(lambda _prefix, options: _names(options, "ModelDeployment")),
    "a": _quietly(lambda _prefix, options: _names(options, "EvalRun")),
    "b": _quietly(lambda _prefix, options: _names(options, "EvalRun")),
    "namespace": _quietly(lambda _prefix, options: _names(options, "Namespace")),
    "context": _quietly(_contexts),
}
"""By the field that an argument is kept in."""
