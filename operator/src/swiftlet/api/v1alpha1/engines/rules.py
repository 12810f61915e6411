"""What fields of one engine and the name of another say of each other, for every engine that there is."""

from collections.abc import Iterator

from swiftlet.api.base import Rule
from swiftlet.api.v1alpha1.compute import GPUS
from swiftlet.api.v1alpha1.engines.registry import AUTO, ENGINES, engines_that


def engine_rules() -> Iterator[Rule]:
    """Of `spec.engine`."""
    for name, engine in ENGINES.items():
        if engine.block:
            others = " && ".join(f"self.name != '{other}'" for other in ENGINES if other != name)
            yield Rule(
                f"!has(self.{name}) || !has(self.name) || {_bracketed(others)}",
                f"{name} is for engine {name}: remove it, or set name to {name} or {AUTO}",
                name,
            )
        yield from engine.engine_rules


def deployment_rules() -> Iterator[Rule]:
    """Of a ModelDeployment's spec."""
    several = engines_that(lambda engine: not engine.has_one_gpu)
    for engine in (engine for engine in ENGINES.values() if engine.has_one_gpu):
        yield Rule(
            f"{GPUS} <= 1 || !has(self.engine) || !has(self.engine.name) || self.engine.name != '{engine.name}'",
            f"engine {engine.name} computes on one GPU: set compute.gpus to 1, or engine.name to {several}",
            "compute",
            figures=f"'compute.gpus is ' + string({GPUS})",
        )
    for engine in ENGINES.values():
        yield from engine.deployment_rules
    yield from map(_parser_rule, ("toolParser", "reasoningParser"))


def _parser_rule(field: str) -> Rule:
    having = engines_that(lambda engine: engine.has_parsers)
    without = [name for name, engine in ENGINES.items() if not engine.has_parsers]
    others = " && ".join(f"self.engine.name != '{name}'" for name in without)
    return Rule(
        f"!has(self.api) || !has(self.api.{field}) || !has(self.engine) || !has(self.engine.name)"
        f" || {_bracketed(others)}",
        f"api.{field} is for engine {having}, and {' or '.join(without)} reads by api.agentTemplate: remove it, or set"
        f" engine.name to {having} or {AUTO}",
        f"api.{field}",
    )


def _bracketed(cel: str) -> str:
    return f"({cel})" if " && " in cel else cel
