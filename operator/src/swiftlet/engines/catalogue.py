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
    startup_seconds: int
    """Longest time from start to the first token that is not yet a failure: loading, compiling and graph capture of
    a large model from slow storage."""


ENGINES = {
    engine.name: engine
    for engine in (
        ServingEngine("auto", accepts_args=True, startup_seconds=1800),
        ServingEngine("vllm", accepts_args=True, startup_seconds=1800),
        ServingEngine("transformers", accepts_args=False, startup_seconds=900),
    )
}
"""Every engine by its name. `auto` becomes vllm where it can run, else transformers, in the pod."""
