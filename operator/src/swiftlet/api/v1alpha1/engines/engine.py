"""What is asked of a serving engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from swiftlet.api.base import ApiModel, Rule


@dataclass(frozen=True)
class ServingEngine:
    """One value of `spec.engine.name`. Starting it is the server's own business: swiftlet_trainer.serve.engines."""

    name: str
    start_seconds: int
    """Longest time from start to the first token that is not yet a failure, but for reading the weights: imports,
    compiling and graph capture."""
    assumed_weight_bytes: int
    """Where nobody knows the model's size."""
    allowed_args: frozenset[str] = frozenset()
    """Flags that `spec.engine.args` may hold, where the ComputeProfile allows no more; none where it takes none."""
    refused_args: Mapping[str, str] = field(default_factory=dict)
    """Flag to why no document may carry it, whoever allows it, or what to do instead."""
    block: type[ApiModel] | None = None
    """`spec.engine.<name>`, where it has one."""
    engine_rules: tuple[Rule, ...] = ()
    """Of `spec.engine`: what the block and its other fields say of each other."""
    deployment_rules: tuple[Rule, ...] = ()
    """Of a ModelDeployment's spec: what the block and fields beside `engine` say of each other."""
    has_parsers: bool = False
    """`spec.api.toolParser` and `reasoningParser` are names of its own."""
    has_one_gpu: bool = False
    """It computes on one GPU at most."""
