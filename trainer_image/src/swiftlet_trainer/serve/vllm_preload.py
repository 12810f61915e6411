"""What the fork server of vLLM's engine imports, once and before it forks."""

import importlib

from swiftlet_trainer.garbage import collect_rarely

PRELOADED = ("vllm.v1.engine.core", "vllm.v1.worker.cpu_worker", "vllm.v1.worker.cpu_model_runner")

collect_rarely()
for _name in PRELOADED:
    importlib.import_module(_name)
