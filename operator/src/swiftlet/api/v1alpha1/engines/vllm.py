"""vLLM: many requests in one computation, on one GPU or several, or on a CPU."""

from swiftlet.api.v1alpha1.engines.engine import ServingEngine
from swiftlet.api.v1alpha1.engines.vllm_arguments import ALLOWED, REFUSED
from swiftlet.api.v1alpha1.engines.vllm_block import ENGINE_RULES, GPU_RULES, Vllm

VLLM = ServingEngine(
    "vllm",
    start_seconds=600,
    assumed_weight_bytes=120_000_000_000,  # 60 billion parameters in 16 bits
    allowed_args=ALLOWED,
    refused_args=REFUSED,
    block=Vllm,
    engine_rules=ENGINE_RULES,
    deployment_rules=GPU_RULES,
    has_parsers=True,
)
