"""The arguments and the environment that vLLM is started with."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from swiftlet.api.v1alpha1.tasks.block import HeadName
from swiftlet.wire.documents import ServeDocument

from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.serve.agents import agents_of
from swiftlet_trainer.serve.api_key import KEY_VARIABLE, MIDDLEWARE, read_api_key
from swiftlet_trainer.serve.vllm_fields import field_arguments
from swiftlet_trainer.serve.vllm_pooling import pooling_arguments
from swiftlet_trainer.serve.vllm_sizes import sizes_of
from swiftlet_trainer.serve.vllm_thoughts import reasoning_arguments
from swiftlet_trainer.serve.vllm_tools import ServedAgents, chosen_parser

EDGES = (
    "swiftlet_trainer.serve.vllm_requests.OpenAIRequests",
    "swiftlet_trainer.serve.vllm_errors.OpenAIErrors",
    "swiftlet_trainer.serve.vllm_health.EngineHealth",
)
"""Middleware on every server, each outside of those before it."""
LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What --max-lora-rank accepts. Source: vllm.config.lora.MaxLoRARanks."""
UNSUPPORTED_ADAPTERS = {
    "use_dora": "weight-decomposed adapters (DoRA)",
    "lora_bias": "adapters with biases",
    "modules_to_save": "adapters that replace whole modules",
    "layer_replication": "adapters that replicate layers",
    "alora_invocation_tokens": "activated adapters (aLoRA)",
    "use_bdlora": "block-diagonal adapters (BD-LoRA)",
    "use_qalora": "adapters of quantized groups (QALoRA)",
}
"""Keys of adapter_config.json that vLLM refuses when set. Source: vllm.lora.peft_helper."""
PLAIN_BEGINNINGS = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")
"""Names in init_lora_weights with which an adapter leaves the base's weights alone. Source: the same."""

MOST_GPU_SLOTS = 8
"""Slots take GPU memory; adapters beyond them wait in the pod's and are moved in when asked for."""
DRAIN_SECONDS = 30
READY_SECONDS = 86400
"""vLLM gives its engines up after ten minutes of loading; how long a start may take, the pod's startup probe knows from
the model's size."""
GIB = 1 << 30
BF16_BYTES = 2
SEQUENCES_IN_CACHE = 4
"""The key-value cache on a CPU holds at least this many sequences of full length."""


def adapter_problems(adapters: Mapping[str, Path]) -> list[str]:
    """Why vLLM cannot load adapters that PEFT can; by the name that each is served as."""
    problems = []
    for name, folder in adapters.items():
        config, rank = _adapter_config(folder), adapter_rank(folder)
        problems += [f"adapter {name}: vllm has no {what}" for what in _unsupported(config)]
        if rank > LORA_RANKS[-1]:
            problems.append(f"adapter {name}: rank {rank} is above vllm's {LORA_RANKS[-1]}")
    return problems


def vllm_arguments(
    document: ServeDocument, model: Path, host: str, draft: Path | None = None, head: HeadName = "tokens"
) -> list[str]:
    """The command line of vLLM's server: what the document says, then the document's own arguments, which win."""
    arguments = ["--model", str(model), "--served-model-name", *document.model_names]
    arguments += ["--host", host, "--port", str(document.port)]
    arguments += ["--max-model-len", str(document.max_model_length), "--shutdown-timeout", str(DRAIN_SECONDS)]
    # Its bars of shards and graphs do not ask tqdm's variable, and each step of one is a line of the log.
    arguments += ["--disable-uvicorn-access-log", "--no-use-tqdm-on-load"]
    # vLLM's own check of the key leaves out what is not below a few prefixes: /invocations generates, too.
    for middleware in (*EDGES, *([MIDDLEWARE] if document.api_key_file else [])):
        arguments += ["--middleware", middleware]
    folders = {adapter.name: in_pod(adapter.path) for adapter in document.adapters}
    arguments += pooling_arguments(model, head, list(folders.values()))
    if folders:
        rank = max(adapter_rank(folder) for folder in folders.values())
        arguments += ["--enable-lora", "--max-lora-rank", str(next(one for one in LORA_RANKS if one >= rank))]
        slots = lora_slots(len(folders), document.use_gpu)
        arguments += ["--max-loras", str(slots), "--max-cpu-loras", str(max(slots, len(folders)))]
        # JSON, since a name may hold the `=` or `,` that vLLM's short form splits at.
        modules = [json.dumps({"name": name, "path": str(folder)}) for name, folder in folders.items()]
        arguments += ["--lora-modules", *modules]
    arguments += _gpu_arguments(document) if document.use_gpu else _cpu_arguments()
    arguments += field_arguments(document.vllm, draft) if document.vllm else []
    arguments += reasoning_arguments(document, model) if head == "tokens" else []
    return [*arguments, *document.engine_args]


def lora_slots(adapters: int, use_gpu: bool) -> int:
    """How many adapters vLLM holds ready for one batch.

    On a CPU its operators take the last slot for rows without an adapter (index -1), so that the base would answer as
    whoever is there. Slots are filled from the first, and with one more than there are adapters none is ever evicted:
    the last one stays empty, as it began. The kernels of a GPU leave such rows alone.
    """
    return min(adapters, MOST_GPU_SLOTS) if use_gpu else adapters + 1


def _gpu_arguments(document: ServeDocument) -> list[str]:
    """Several GPUs of one pod are several processes of its own, never of Ray, whoever has installed that."""
    sizes = sizes_of(document.vllm)
    return ["--distributed-executor-backend", "mp"] if sizes.tensor * sizes.pipeline > 1 else []


def _cpu_arguments() -> list[str]:
    from swiftlet_trainer.hardware import multiplies_bf16

    # Compiling costs minutes that a CPU deployment never earns back. One process fewer imports vLLM: see vllm_env.
    dtype = "bfloat16" if multiplies_bf16(use_gpu=False) else "float32"
    return [
        "--enforce-eager",
        "--dtype",
        dtype,
        "--gpu-memory-utilization",
        "0.25",
        "--distributed-executor-backend",
        "uni",
    ]


def vllm_env(document: ServeDocument, model: Path, threads: int) -> dict[str, str]:
    """Variables of vLLM's process: offline, silent to the outside and, on a CPU, sized for this pod."""
    env = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    env["VLLM_ENGINE_READY_TIMEOUT_S"] = str(READY_SECONDS)
    adapters = {adapter.name: in_pod(adapter.path) for adapter in document.adapters}
    agents = agents_of(model, document.model_names, adapters, document.agent_template)
    env |= ServedAgents(agents, chosen_parser(document)).environment()
    if key := read_api_key(document):
        env[KEY_VARIABLE] = key
    if document.use_gpu:
        return env
    return env | {
        "VLLM_TARGET_DEVICE": "cpu",
        # The images for CPUs have no compiler: the first request for log probabilities would end the engine.
        "TORCH_COMPILE_DISABLE": "1",
        "VLLM_CPU_KVCACHE_SPACE": str(_cache_gib(model, document.max_model_length)),
        # The engine computes in its own process instead of in a worker that imports everything once more. Threads are
        # not bound then, so that they are told here; vLLM would leave one of two cores idle.
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": str(threads),
    }


def _cache_gib(model: Path, max_model_length: int) -> int:
    """GiB of key-value cache: 2 (key, value) x layers x KV heads x head size x 2 bytes for each token."""
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    config = {**config, **(config.get("text_config") or {})}
    heads = config.get("num_attention_heads") or 1
    size = config.get("head_dim") or (config.get("hidden_size") or 0) // heads
    kv_heads = config.get("num_key_value_heads") or heads
    token = 2 * (config.get("num_hidden_layers") or 0) * kv_heads * size * BF16_BYTES
    return max(1, -(-token * max_model_length * SEQUENCES_IN_CACHE // GIB))


def _unsupported(config: Mapping[str, Any]) -> Iterator[str]:
    yield from (what for key, what in UNSUPPORTED_ADAPTERS.items() if config.get(key))
    if (kind := config.get("peft_type", "LORA")) != "LORA":
        yield f"{kind} adapters"
    begun = config.get("init_lora_weights")
    if isinstance(begun, str) and begun.lower() not in PLAIN_BEGINNINGS:
        yield f"adapters that change the base's own weights (init_lora_weights: {begun})"


def adapter_rank(folder: Path) -> int:
    """The highest rank of an adapter: `r`, or what a pattern raises it to for some modules."""
    config = _adapter_config(folder)
    return max([int(config.get("r") or 0), *(int(rank) for rank in (config.get("rank_pattern") or {}).values())])


def _adapter_config(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    return config
