"""Which engine serves a document, and why when it is not vLLM."""

import importlib.util
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from swiftlet.api.tasks import HeadName
from swiftlet.wire.documents import ServeDocument
from swiftlet.wire.engine_arguments import refused_argument_problems

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.serve.engine import EngineName
from swiftlet_trainer.serve.parallel_sizes import sizes_of
from swiftlet_trainer.serve.quantization import Quantization, transformers_problem, vllm_cpu_problem
from swiftlet_trainer.serve.vllm_arguments import adapter_problems
from swiftlet_trainer.serve.vllm_pooling import head_problems
from swiftlet_trainer.serve.vllm_tools import agent_obstacles

DISTRIBUTIONS = {True: "vllm", False: "vllm-cpu"}
"""Whether it computes on a GPU to the distribution of vLLM that does."""


def choose_engine(
    document: ServeDocument,
    adapters: Mapping[str, Path],
    quantized: Quantization | None = None,
    head: HeadName = "tokens",
) -> tuple[EngineName, str | None]:
    """The engine, and the reason when `auto` did not become vLLM.

    adapters: folders by served name. quantized: how the model's weights are. head: by which the model is used. Raises
    InvalidInput when the engine asked for cannot serve the document.
    """
    _refuse_words(document, head)
    if document.engine == "transformers":
        _refuse_arguments(document, "spec.engine.name is transformers")
        _refuse_weights(document, quantized, "set spec.engine.name to vllm, or serve plain weights")
        return "transformers", None
    obstacles = [*vllm_obstacles(document.use_gpu), *head_problems(adapters, head), *adapter_problems(adapters)]
    obstacles += agent_obstacles(document)
    if quantized and not document.use_gpu and (problem := vllm_cpu_problem(quantized)):
        obstacles.append(problem)
    if not obstacles:
        problems = refused_argument_problems(document.engine_args)
        if problems:
            raise InvalidInput(problems)
        return "vllm", None
    if document.engine == "vllm":
        raise InvalidInput([f"{one}; set spec.engine.name to transformers, or auto" for one in obstacles])
    reason = "; ".join(obstacles)
    _refuse_arguments(document, f"vllm cannot serve here ({reason})")
    _refuse_weights(document, quantized, f"vllm cannot serve here either ({reason}); serve plain weights")
    return "transformers", reason


def vllm_obstacles(use_gpu: bool) -> list[str]:
    """Why vLLM cannot run on this machine; nothing is imported, which would take it twenty seconds."""
    if importlib.util.find_spec("vllm") is None:
        return [f"vllm is not installed ({DISTRIBUTIONS[use_gpu]})"]
    try:
        version(DISTRIBUTIONS[use_gpu])
    except PackageNotFoundError:
        return [f"the vllm that is installed computes on a {'CPU' if use_gpu else 'GPU'} only"]
    return []


def _refuse_words(document: ServeDocument, head: HeadName) -> None:
    """Nothing is said, called or thought by a model that makes vectors or scores."""
    given = {
        "agentTemplate": document.agent_template,
        "toolParser": document.tool_parser,
        "reasoningParser": document.reasoning_parser,
    }
    if head != "tokens" and (asked := [f"spec.api.{field}: {name}" for field, name in given.items() if name]):
        raise InvalidInput(
            [f"{one}: the model makes no answers, so that it calls no tools; remove it" for one in asked]
        )


def _refuse_arguments(document: ServeDocument, why: str) -> None:
    args = " ".join(document.engine_args)
    problems = [f"engine.args: {args}: {why}, and these are vllm's; remove spec.engine.args"] if args else []
    for field, name in (("toolParser", document.tool_parser), ("reasoningParser", document.reasoning_parser)):
        if name:
            problems.append(f"api.{field}: {name}: {why}, and this is vllm's; remove spec.api.{field}")
    if document.vllm and sizes_of(document.vllm).gpus > 1:
        gpus = sizes_of(document.vllm).gpus
        problems.append(
            f"compute.gpus: {gpus}: {why}, and transformers computes on one GPU; set spec.compute.gpus to 1"
        )
    elif document.vllm:
        fields = ", ".join(document.vllm.document())
        problems.append(f"engine.vllm: {fields}: {why}, and these are vllm's; remove spec.engine.vllm")
    if problems:
        raise InvalidInput(problems)


def _refuse_weights(document: ServeDocument, quantized: Quantization | None, remedy: str) -> None:
    problem = transformers_problem(quantized, document.use_gpu) if quantized else None
    if problem:
        raise InvalidInput([f"model {document.model.uri}: {problem}; {remedy}"])
