"""`swiftlet chat`."""

import argparse
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.arguments import add_command, add_world

if TYPE_CHECKING:
    from swiftlet.cli.acting.chatting import Endpoint
    from swiftlet.cli.arguments import Commands


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "chat",
        "Talk to a served model",
        "Needs a ModelDeployment that is Ready: `swiftlet run PATH --keep` in another terminal. Of a cluster,"
        " through its API server. Ctrl-D ends.",
        """swiftlet chat
        swiftlet chat bird --once "Who are you?"
        swiftlet --context prod -n team chat bird
        swiftlet chat bird --model smollm2 --system "Answer in one sentence." """,
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="ModelDeployment; the only one when left out")
    parser.add_argument("--model", help="served name to ask; the tuned model when left out")
    parser.add_argument("--system", help="system message")
    parser.add_argument("--once", metavar="QUESTION", help="ask this, print the answer, end")
    parser.add_argument("--max-tokens", type=int, metavar="N", help="longest answer")
    add_world(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask once, or turn by turn until the end of input."""
    from swiftlet.cli.acting.chatting import choose_model, conversation, find_deployment, require_chat
    from swiftlet.cli.acting.reaching import reached
    from swiftlet.cli.reading.worlds import open_world

    world = open_world(options)
    item = find_deployment(world, options.namespace or world.namespace, options.name)
    endpoint = reached(world, item)
    require_chat(endpoint)
    model = choose_model(endpoint, options.model)
    if options.once is not None:
        messages = conversation(options.system, [{"role": "user", "content": options.once}])
        _answer(endpoint, model, messages, options.max_tokens)
        return exitcodes.OK
    _converse(endpoint, model, options)
    return exitcodes.OK


def _converse(endpoint: "Endpoint", model: str, options: argparse.Namespace) -> None:
    import sys

    from swiftlet.cli.acting.chatting import conversation

    print(f"{model} at {endpoint.url}; Ctrl-D ends", file=sys.stderr)
    turns: list[dict[str, str]] = []
    while True:
        try:
            question = input("> " if sys.stdin.isatty() else "").strip()
        except EOFError:
            return
        if question:
            turns.append({"role": "user", "content": question})
            answer = _answer(endpoint, model, conversation(options.system, turns), options.max_tokens)
            turns.append({"role": "assistant", "content": answer})


def _answer(endpoint: "Endpoint", model: str, messages: list[dict[str, str]], max_tokens: int | None) -> str:
    """Print one answer as it comes; returns it whole."""
    from swiftlet.cli.acting.chatting import stream

    pieces = []
    for piece in stream(endpoint, model, messages, max_tokens):
        print(piece, end="", flush=True)
        pieces.append(piece)
    print()
    return "".join(pieces)
