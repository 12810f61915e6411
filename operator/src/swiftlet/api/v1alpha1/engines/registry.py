"""Every serving engine by its name: a new one is a module beside this one, and a word in ENGINES."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from swiftlet.api.v1alpha1.engines.engine import ServingEngine
from swiftlet.api.v1alpha1.engines.transformers import TRANSFORMERS
from swiftlet.api.v1alpha1.engines.vllm import VLLM

ENGINES: dict[str, ServingEngine] = {engine.name: engine for engine in (VLLM, TRANSFORMERS)}
"""In the order in which `auto` tries them, in the pod."""
AUTO = "auto"

if TYPE_CHECKING:
    EngineName = str
else:
    EngineName = Literal[AUTO, *ENGINES]


def planned_engine(name: str) -> ServingEngine:
    """The engine that is planned for; of `auto`, which is decided in the pod, the first."""
    return next(iter(ENGINES.values())) if name == AUTO else ENGINES[name]


def engines_that(has: Callable[[ServingEngine], object]) -> str:
    """Names of the engines that have something, as people are told of them."""
    return " or ".join(name for name, engine in ENGINES.items() if has(engine))


def other_engines(name: str) -> str:
    """The engines beside one, as people are told of them."""
    return engines_that(lambda engine: engine.name != name)
