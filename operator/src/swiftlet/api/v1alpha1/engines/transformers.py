"""transformers: every model that it loads, one computation at a time; nothing of it is to be set."""

from swiftlet.api.v1alpha1.engines.engine import ServingEngine

TRANSFORMERS = ServingEngine(
    "transformers",
    start_seconds=300,
    assumed_weight_bytes=60_000_000_000,  # 30 billion parameters in 16 bits
    has_one_gpu=True,
)
