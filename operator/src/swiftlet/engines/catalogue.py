"""What the planner has to know about each serving engine. Starting them is the server's own business."""

from dataclasses import dataclass

READY_PATH = "/readyz"
"""On the health port: 200 once every served name has answered a token."""
LIVE_PATH = "/livez"
"""On the health port: 200 while the engine's process lives."""
VLLM_ARGS = frozenset(
    {
        "--async-scheduling",
        "--attention-backend",
        "--block-size",
        "--cpu-offload-gb",
        "--cudagraph-capture-sizes",
        "--disable-cascade-attn",
        "--disable-custom-all-reduce",
        "--disable-fastapi-docs",
        "--disable-log-stats",
        "--disable-sliding-window",
        "--dtype",
        "--enable-auto-tool-choice",
        "--enable-force-include-usage",
        "--enable-prompt-tokens-details",
        "--enable-request-id-headers",
        "--enforce-eager",
        "--exclude-tools-when-tool-choice-none",
        "--fully-sharded-loras",
        "--kv-cache-memory-bytes",
        "--language-model-only",
        "--logprobs-mode",
        "--long-prefill-token-threshold",
        "--lora-dtype",
        "--max-cudagraph-capture-size",
        "--max-log-len",
        "--max-logprobs",
        "--max-num-queued-reqs",
        "--mm-processor-cache-gb",
        "--num-gpu-blocks-override",
        "--optimization-level",
        "--override-generation-config",
        "--prefix-caching-hash-algo",
        "--quantization",
        "--reasoning-parser",
        "--response-role",
        "--return-tokens-as-token-ids",
        "--scheduling-policy",
        "--seed",
        "--stream-interval",
        "--tool-call-parser",
        "--uvicorn-log-level",
    }
)
"""Of vLLM: how fast it computes, how much memory it takes, how it answers. None names code, a file or a host."""


@dataclass(frozen=True)
class ServingEngine:
    """One value of `spec.engine.name`."""

    name: str
    allowed_args: frozenset[str]
    """Flags that `spec.engine.args` may hold, where the ComputeProfile allows no more; none where it takes none."""
    start_seconds: int
    """Longest time from start to the first token that is not yet a failure, but for reading the weights: imports,
    compiling and graph capture."""
    assumed_weight_bytes: int
    """Where nobody knows the model's size: a model of 60 or 30 billion parameters in 16 bits."""


ENGINES = {
    engine.name: engine
    for engine in (
        ServingEngine("auto", VLLM_ARGS, start_seconds=600, assumed_weight_bytes=120_000_000_000),
        ServingEngine("vllm", VLLM_ARGS, start_seconds=600, assumed_weight_bytes=120_000_000_000),
        ServingEngine("transformers", frozenset(), start_seconds=300, assumed_weight_bytes=60_000_000_000),
    )
}
"""Every engine by its name. `auto` becomes vllm where it can run, else transformers, in the pod."""
