"""Whether a model can be cut as spec.engine.vllm says. vLLM finds out in its workers, minutes after the start."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from swiftlet.wire.documents import ResolvedVllm

from swiftlet_trainer.models.language_model import language_model

VOCABULARY_BLOCK = 64
"""vLLM pads the vocabulary to a multiple of it. Source: vllm, vocab_parallel_embedding, DEFAULT_VOCAB_PADDING_SIZE."""
HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads")
KV_HEADS = ("num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num")
LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")
EXPERT_WIDTH = ("moe_intermediate_size",)
WIDTH = ("intermediate_size", "ffn_hidden_size", "n_inner")
DIVIDED = {
    "attention heads": HEADS,
    "key heads of linear attention": ("linear_num_key_heads",),
    "value heads of linear attention": ("linear_num_value_heads",),
}
"""What every tensor parallel GPU gets the same number of."""
MOST_SHOWN = 4


@dataclass(frozen=True, order=True)
class Sizes:
    """How many GPUs each way of cutting takes."""

    tensor: int
    pipeline: int = 1
    data: int = 1
    is_expert_parallel: bool = False

    @property
    def gpus(self) -> int:
        return self.tensor * self.pipeline * self.data

    def __str__(self) -> str:
        more = (("pipelineParallelSize", self.pipeline), ("dataParallelSize", self.data))
        return " x ".join([f"tensorParallelSize {self.tensor}", *(f"{name} {size}" for name, size in more if size > 1)])


def sizes_of(vllm: ResolvedVllm | None) -> Sizes:
    """The sizes that a document asks for."""
    if vllm is None:
        return Sizes(1)
    data = vllm.data_parallel_size or 1
    tensor, pipeline = vllm.tensor_parallel_size or 1, vllm.pipeline_parallel_size or 1
    return Sizes(tensor, pipeline, data, bool(vllm.enable_expert_parallel))


def parallel_problems(config: Mapping[str, Any], sizes: Sizes, group: int = 1) -> list[str]:
    """Why the model of `config` (its config.json) cannot be cut into `sizes`, and the sizes that would do. group:
    weights that are quantized together."""
    model = language_model(config)
    if sizes.is_expert_parallel and not _numbers(model, EXPERTS):
        plain = replace(sizes, is_expert_parallel=False)
        return ["spec.engine.vllm.enableExpertParallel: the model has no experts; remove it",
                *parallel_problems(config, plain, group)]  # fmt: skip
    found = list(_problems(model, sizes, group))
    options = [option for option in _options(sizes) if not list(_problems(model, option, group))]
    remedy = f"set {', or '.join(map(str, options[:MOST_SHOWN]))}" if options else "set fewer compute.gpus"
    return [f"spec.engine.vllm.{problem}; {remedy}" for problem in found]


def uneven_layers(config: Mapping[str, Any], sizes: Sizes) -> str:
    """What is said where the stages get different numbers of layers: they work, at the pace of the largest."""
    uneven = [layers for layers in _numbers(language_model(config), LAYERS) if layers % sizes.pipeline]
    return f"{uneven[0]} layers do not divide by {sizes.pipeline} pipeline stages: some hold one more" if uneven else ""


def _problems(model: Mapping[str, Any], sizes: Sizes, group: int) -> Iterator[str]:
    tensor = f"tensorParallelSize {sizes.tensor} (what is left of compute.gpus where it is absent)"
    for what, names in DIVIDED.items():
        for count in _numbers(model, names):
            if count % sizes.tensor:
                yield f"{tensor}: the model's {count} {what} do not divide by {sizes.tensor}"
    for count in _numbers(model, KV_HEADS):
        if count % sizes.tensor and sizes.tensor % count:  # fewer heads than GPUs are copied
            yield f"{tensor}: the model's {count} key-value heads neither divide by {sizes.tensor} nor divide it"
    for count in _numbers(model, ("vocab_size",)):
        padded = -(-count // VOCABULARY_BLOCK) * VOCABULARY_BLOCK
        if padded % sizes.tensor:
            yield f"{tensor}: the vocabulary of {count}, padded to {padded}, does not divide by {sizes.tensor}"
    yield from _widths(model, sizes, tensor)
    yield from _groups(model, sizes, tensor, group)
    for count in _numbers(model, LAYERS):
        if count < sizes.pipeline:
            yield f"pipelineParallelSize {sizes.pipeline}: the model has {count} layers, fewer than stages"
    yield from _experts(model, sizes)


def _widths(model: Mapping[str, Any], sizes: Sizes, tensor: str) -> Iterator[str]:
    """Layers of experts are cut by tensor and data parallel GPUs together, unless whole experts are spread."""
    experts, wide, narrow = _numbers(model, EXPERTS), _numbers(model, WIDTH), _numbers(model, EXPERT_WIDTH)
    of_experts = (narrow or wide) if experts else []
    for width in wide if not experts or narrow else []:
        if width % sizes.tensor:
            yield f"{tensor}: the model's width of {width} (intermediate_size) does not divide by {sizes.tensor}"
    ranks = sizes.tensor * sizes.data
    for width in [] if sizes.is_expert_parallel else of_experts:
        if width % ranks:
            yield (
                f"tensorParallelSize {sizes.tensor}, dataParallelSize {sizes.data}: the experts' width of {width} does"
                f" not divide by {ranks} GPUs"
            )


def _groups(model: Mapping[str, Any], sizes: Sizes, tensor: str, group: int) -> Iterator[str]:
    """Groups of quantized weights are never cut: vLLM has their scales for whole ones."""
    heads, size = _numbers(model, HEADS), _numbers(model, ("head_dim",))
    attention = [heads[0] * size[0]] if heads and size else _numbers(model, ("hidden_size",))
    experts = [] if sizes.is_expert_parallel else _numbers(model, EXPERT_WIDTH)
    ranks = sizes.tensor * sizes.data
    cuts = [
        *(("width", width, sizes.tensor) for width in _numbers(model, WIDTH)),
        *(("heads' width", width, sizes.tensor) for width in attention),
        *(("experts' width", width, ranks) for width in experts),
    ]
    for what, width, parts in cuts:
        part = width // parts
        if parts > 1 and width % parts == 0 and part % group:
            yield f"{tensor}: each GPU gets {part} of the {what} of {width}, which cuts quantized groups of {group}"


def _experts(model: Mapping[str, Any], sizes: Sizes) -> Iterator[str]:
    experts, ranks = _numbers(model, EXPERTS), sizes.tensor * sizes.data
    for count in experts if sizes.is_expert_parallel else []:
        if count < ranks:
            yield f"enableExpertParallel: the model has {count} experts, fewer than the {ranks} GPUs that share them"


def _options(sizes: Sizes) -> list[Sizes]:
    """All other ways to use as many GPUs: few copies first, then few stages."""
    gpus = sizes.gpus
    divisors = [size for size in range(1, gpus + 1) if gpus % size == 0]
    found = [
        Sizes(tensor, gpus // tensor // data, data, sizes.is_expert_parallel)
        for data in divisors
        for tensor in reversed(divisors)
        if gpus % (tensor * data) == 0
    ]
    return sorted(found, key=lambda one: (-one.tensor, one.pipeline))


def _numbers(model: Mapping[str, Any], names: Sequence[str]) -> list[int]:
    """What config.json says under the first of `names` that it has: a number, or one for each layer."""
    said = next((model[name] for name in names if model.get(name) is not None), None)
    listed = said if isinstance(said, list) else [said]
    return sorted({one for one in listed if isinstance(one, int) and not isinstance(one, bool) and one > 0})
