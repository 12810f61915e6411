"""Which arguments a document may hand to a serving engine."""

from collections.abc import Iterable, Sequence

from swiftlet.api.schema.validation import nearest
from swiftlet.api.v1alpha1.engines.engine import ServingEngine
from swiftlet.wire.engine_arguments import flags_of, refused_argument_problems


def argument_problems(engine: ServingEngine, arguments: Sequence[str], widened: Sequence[str], who: str) -> list[str]:
    """Everything that is wrong with `spec.engine.args`, but for values: those are checked by the engine's own parser.

    widened: flags that the platform team allows beyond the engine's own list. who: their document.
    """
    problems = [f"spec.{problem}" for problem in refused_argument_problems(engine.refused_args, arguments)]
    allowed = engine.allowed_args | set(widened)
    for flag in dict.fromkeys(flags_of(arguments)):
        long = f"--{flag.removeprefix('--no-')}" if flag.startswith("--no-") else flag
        if {flag, long} & (allowed | set(engine.refused_args)):
            continue
        problems.append(f"spec.engine.args: {flag} is not allowed; {_remedy(flag, allowed, engine.name, who)}")
    if arguments and not arguments[0].startswith("-"):
        problems.append(f"spec.engine.args: {arguments[0]} is the value of no argument; write its flag before it")
    return problems


def _remedy(flag: str, allowed: Iterable[str], engine: str, who: str) -> str:
    if not flag.startswith("--"):
        return "write the argument in its long form"
    near = nearest(flag, sorted(allowed))
    return f"did you mean {near}?" if near else f"spec.engines.{engine}.allowedArgs of {who} can allow it"
