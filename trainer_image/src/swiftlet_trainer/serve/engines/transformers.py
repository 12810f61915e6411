"""transformers: what stands in its way, and its process."""

from swiftlet_trainer.serve.engine import EngineProcess, Obstacle, Served
from swiftlet_trainer.serve.transformers_launch import transformers_process
from swiftlet_trainer.serve.transformers_weights import transformers_problem


def obstacles(served: Served) -> list[Obstacle]:
    """Why it cannot serve this here."""
    document = served.document
    problem = transformers_problem(served.quantized, document.use_gpu) if served.quantized else None
    return [Obstacle(f"model {document.model.uri}: {problem}", "serve plain weights")] if problem else []


def process(served: Served, host: str) -> EngineProcess:
    """How it is started."""
    return transformers_process(served.job_path, host, pools=served.head != "tokens")
