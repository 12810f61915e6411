"""Which engine serves a document, and why when it is not the first."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from swiftlet.api.v1alpha1.engines.engine import ServingEngine
from swiftlet.api.v1alpha1.engines.registry import AUTO, ENGINES, engines_that, other_engines
from swiftlet.wire.documents import ServeDocument
from swiftlet.wire.engine_arguments import refused_argument_problems

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.serve.engine import Engine, Obstacle, Served

PARSERS = {"toolParser": "tool_parser", "reasoningParser": "reasoning_parser"}


def engine_named(name: str) -> Engine:
    """What starts the engine."""
    module: Any = import_module(f"swiftlet_trainer.serve.engines.{name}")
    found: Engine = module
    return found


def choose_engine(served: Served) -> tuple[str, str | None]:
    """The engine's name, and the reason when `auto` did not become the first one.

    Raises InvalidInput when the engine asked for cannot serve the document, or, with `auto`, none can.
    """
    _refuse_words(served)
    document, earlier = served.document, dict[str, list[Obstacle]]()
    *others, last = ENGINES if document.engine == AUTO else (document.engine,)
    for name in others:
        if not (found := engine_named(name).obstacles(served)):
            return _chosen(served, name, earlier, [])
        earlier[name] = found
    return _chosen(served, last, earlier, engine_named(last).obstacles(served))


def _chosen(
    served: Served, name: str, earlier: Mapping[str, list[Obstacle]], found: list[Obstacle]
) -> tuple[str, str | None]:
    why = _cannot(earlier) if earlier else f"spec.engine.name is {name}"
    problems = _foreign(served.document, ENGINES[name], why)
    problems += [_told(one, served.document.engine, name, earlier) for one in found]
    if problems:
        raise InvalidInput(problems)
    return name, "; ".join(one.text for obstacles in earlier.values() for one in obstacles) or None


def _told(obstacle: Obstacle, asked: str, name: str, earlier: Mapping[str, list[Obstacle]]) -> str:
    if asked == AUTO:
        return "; ".join(filter(None, [obstacle.text, _cannot(earlier, " either"), obstacle.remedy]))
    return f"{obstacle.text}; set spec.engine.name to {other_engines(name)}, or {obstacle.remedy or AUTO}"


def _cannot(earlier: Mapping[str, list[Obstacle]], either: str = "") -> str:
    return ", ".join(
        f"{name} cannot serve here{either} ({'; '.join(one.text for one in obstacles)})"
        for name, obstacles in earlier.items()
    )


def _refuse_words(served: Served) -> None:
    """Nothing is said, called or thought by a model that makes vectors or scores."""
    fields = {"agentTemplate": "agent_template", **PARSERS}
    given = {field: getattr(served.document, name) for field, name in fields.items()}
    if served.head != "tokens" and (asked := [f"spec.api.{field}: {name}" for field, name in given.items() if name]):
        raise InvalidInput(
            [f"{one}: the model makes no answers, so that it calls no tools; remove it" for one in asked]
        )


def _foreign(document: ServeDocument, engine: ServingEngine, why: str) -> list[str]:
    """Fields of the document that the engine would ignore, and arguments that no document may carry."""
    problems = refused_argument_problems(engine.refused_args, document.engine_args)
    if document.engine_args and not engine.allowed_args:
        taking, args = engines_that(lambda other: other.allowed_args), " ".join(document.engine_args)
        problems.append(f"engine.args: {args}: {why}, and these are {taking}'s; remove spec.engine.args")
    for field, name in PARSERS.items():
        if (parser := getattr(document, name)) and not engine.has_parsers:
            having = engines_that(lambda other: other.has_parsers)
            problems.append(f"api.{field}: {parser}: {why}, and this is {having}'s; remove spec.api.{field}")
    gpus = document.gpus
    if gpus > 1 and engine.has_one_gpu:
        told = f"compute.gpus: {gpus}: {why}, and {engine.name} computes on one GPU"
        return [*problems, f"{told}; set spec.compute.gpus to 1"]
    for name in (name for name, other in ENGINES.items() if other.block and other is not engine):
        if block := getattr(document, name):
            fields = ", ".join(block.document())
            problems.append(f"engine.{name}: {fields}: {why}, and these are {name}'s; remove spec.engine.{name}")
    return problems
