"""What the planner has to know about each serving engine. Starting them is the server's own business."""

from dataclasses import dataclass

READY_PATH = "/readyz"
"""On the health port: 200 once every served name has answered a token."""
LIVE_PATH = "/livez"
"""On the health port: 200 while the engine's process lives."""


@dataclass(frozen=True)
class ServingEngine:
    """One value of `spec.engine.name`."""

    name: str
    accepts_args: bool
    """Whether `spec.engine.args` reaches it."""
    start_seconds: int
    """Longest time from start to the first token that is not yet a failure, but for reading the weights: imports,
    compiling and graph capture."""
    assumed_weight_bytes: int
    """Where nobody knows the model's size: a model of 60 or 30 billion parameters in 16 bits."""


ENGINES = {
    engine.name: engine
    for engine in (
        ServingEngine("auto", accepts_args=True, start_seconds=600, assumed_weight_bytes=120_000_000_000),
        ServingEngine("vllm", accepts_args=True, start_seconds=600, assumed_weight_bytes=120_000_000_000),
        ServingEngine("transformers", accepts_args=False, start_seconds=300, assumed_weight_bytes=60_000_000_000),
    )
}
"""Every engine by its name. `auto` becomes vllm where it can run, else transformers, in the pod."""
