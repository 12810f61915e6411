"""The process that becomes vLLM's server.

`python -m swiftlet_trainer.serve.vllm_process --parent PID [--cpu] -- ARGUMENTS`

It is vLLM's own `run_server` behind vLLM's own argument parser, with differences from its command line: arguments that
the parser refuses are reported one by one for the control plane, text of chats stays text where it looks like a control
token, and on a CPU the engine process is forked from a server that imported vLLM while this process did the same on
another core, instead of importing it all over again.
"""

import difflib
import multiprocessing
import multiprocessing.forkserver
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError
from swiftlet.wire.messages import EXIT_INVALID

from swiftlet_trainer.garbage import collect_rarely
from swiftlet_trainer.serve.engine import PROBLEM_PREFIX
from swiftlet_trainer.serve.lifeline import end_with_parent
from swiftlet_trainer.serve.vllm_tools import ServedAgents, parser_problems, tool_arguments, value_of

PRELOADED = "swiftlet_trainer.serve.vllm_preload"
FORKSERVER = "forkserver"


class RefusedArgumentsError(Exception):
    """What vLLM's parser refuses, one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(problems))


def parse(arguments: Sequence[str]) -> Any:
    """`arguments` by vLLM's real parser and its own checks. Raises RefusedArgumentsError with every problem."""
    from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    parser = make_arg_parser(FlexibleArgumentParser(prog="vllm"))
    parser.error = _refuse
    flags = [flag for action in parser._actions for flag in action.option_strings if flag.startswith("--")]
    unknown = [one for one in arguments if one.startswith("-") and not _is_known(one, flags)]
    if unknown:
        raise RefusedArgumentsError([unknown_flag(one, flags) for one in unknown])
    try:
        parsed = parser.parse_args(list(arguments))
        validate_parsed_serve_args(parsed)
    except (ValueError, TypeError) as error:
        raise RefusedArgumentsError([str(error)]) from None
    return parsed


def unknown_flag(argument: str, flags: Sequence[str]) -> str:
    """Why `argument` is refused, with the nearest flag there is."""
    flag = argument.partition("=")[0]
    near = difflib.get_close_matches(flag.replace("_", "-"), flags, n=1)
    return f"{flag}: vllm has no such argument" + (f"; did you mean {near[0]}?" if near else "")


def _is_known(argument: str, flags: Sequence[str]) -> bool:
    """A flag by its full name (dashes or underscores, `.key` of a JSON value), a short one, or a negative number."""
    if re.fullmatch(r"-(\w+|[\d.].*)(=.*)?", argument):
        return True
    return re.split(r"[=.]", argument, maxsplit=1)[0].replace("_", "-") in flags


def _refuse(message: str) -> NoReturn:
    raise RefusedArgumentsError([message])


def main(argv: Sequence[str]) -> int:
    """Check the arguments after `--`, then serve until SIGTERM; returns the exit code."""
    own, arguments = argv[: argv.index("--")], argv[argv.index("--") + 1 :]
    on_cpu = "--cpu" in own
    end_with_parent(int(own[own.index("--parent") + 1]))
    collect_rarely()
    if on_cpu:
        _preload()
    served = ServedAgents.of_environment()
    if problems := parser_problems(served.chosen, value_of("--reasoning-parser", arguments)):
        sys.stdout.writelines(f"{PROBLEM_PREFIX}{problem}\n" for problem in problems)
        return EXIT_INVALID
    model = Path(arguments[arguments.index("--model") + 1])
    try:
        parsed = parse([*tool_arguments(model, arguments, served.agents, served.chosen), *arguments])
    except RefusedArgumentsError as error:
        sys.stdout.writelines(f"{PROBLEM_PREFIX}engine.args: {problem}\n" for problem in error.problems)
        return EXIT_INVALID
    if on_cpu:
        _fork_engine()
    import uvloop
    from vllm.entrypoints.launchers.api_server.entry import run_server
    from vllm.entrypoints.serve.utils.api_utils import cli_env_setup

    from swiftlet_trainer.serve.vllm_adapters import RefusedAdapterError, name_refused_adapters
    from swiftlet_trainer.serve.vllm_metrics import count_by_name
    from swiftlet_trainer.serve.vllm_renderer import keep_texts

    cli_env_setup()
    name_refused_adapters()
    keep_texts()
    count_by_name([parsed.served_model_name[0], *(adapter.name for adapter in parsed.lora_modules or ())])
    try:
        uvloop.run(run_server(parsed))
    except ValidationError as error:  # of a configuration: what a request gets wrong is answered to its sender
        sys.stdout.writelines(f"{PROBLEM_PREFIX}{problem}\n" for problem in configuration_problems(error))
        return EXIT_INVALID
    except RefusedAdapterError as error:
        sys.stdout.write(f"{PROBLEM_PREFIX}{error}\n")
        return EXIT_INVALID
    return 0


def configuration_problems(error: ValidationError) -> list[str]:
    """What a configuration of vLLM says of arguments that its parser let through, one line each."""
    return [
        ": ".join([f"vllm's {error.title}", *(str(part) for part in one["loc"]), one["msg"]])
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def _preload() -> None:
    """Start the fork server: it imports what an engine needs while this process imports what the API needs."""
    multiprocessing.set_forkserver_preload([PRELOADED])
    multiprocessing.forkserver.ensure_running()


def _fork_engine() -> None:
    """Make vLLM start its engine process from the fork server.

    vLLM's CPU platform writes `spawn` into the environment, so the method is set where vLLM reads it. Forking is safe
    here: the fork server is a process of its own that only imported modules and never computed.
    """
    from vllm import envs

    envs.environment_variables["VLLM_WORKER_MULTIPROC_METHOD"] = lambda: FORKSERVER


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
