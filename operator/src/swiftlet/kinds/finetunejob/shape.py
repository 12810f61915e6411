"""Parameter counts of decoder-only transformers from their config.json, without loading a weight."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from swiftlet.api.v1alpha1.tasks import Task
from swiftlet.api.v1alpha1.tuner import Lora, Tuner


@dataclass(frozen=True)
class Family:
    """What sets the architectures that share one layout apart: which linear layers have biases, and extra norms."""

    qkv_bias: bool | None
    """None: as `attention_bias` of the config says."""
    output_bias: bool | None
    mlp_bias: bool | None
    """None: as `mlp_bias` of the config says."""
    head_norms: bool
    """RMSNorm on each head's query and key."""


FAMILIES = {
    "llama": Family(qkv_bias=None, output_bias=None, mlp_bias=None, head_norms=False),
    "mistral": Family(qkv_bias=False, output_bias=False, mlp_bias=False, head_norms=False),
    "qwen2": Family(qkv_bias=True, output_bias=False, mlp_bias=False, head_norms=False),
    "qwen3": Family(qkv_bias=None, output_bias=None, mlp_bias=False, head_norms=True),
    "smollm3": Family(qkv_bias=None, output_bias=None, mlp_bias=None, head_norms=False),
}
"""By `model_type`. Grouped-query attention, gated MLP, two RMSNorms a layer (Touvron et al. 2023, arXiv:2302.13971)."""


WIDTHS = {"float32": 4, "float16": 2, "bfloat16": 2}
"""Bytes of a weight, by the `dtype` of the config."""


@dataclass(frozen=True)
class Linear:
    """One linear layer of a block."""

    name: str
    inputs: int
    outputs: int
    bias: bool

    @property
    def parameters(self) -> int:
        return self.inputs * self.outputs + (self.outputs if self.bias else 0)


@dataclass(frozen=True)
class ModelShape:
    """Sizes of a model; all counts are of numbers, not bytes."""

    hidden: int
    layers: int
    attention: int
    """heads x head size."""
    key_value: int
    """key-value heads x head size."""
    intermediate: int
    vocabulary: int
    tied: bool
    """The head shares the embedding's weights."""
    linears: tuple[Linear, ...]
    """Of one layer."""
    norms: int
    """Norm parameters of one layer."""
    stored_width: int = 4
    """Bytes of a weight in the model's files."""
    scores: int | None = None
    """Of each text, by a layer that stands in the head's place; 0 where nothing does. None: the head is there."""

    def of_task(self, task: Task) -> "ModelShape":
        """The model as the task loads it."""
        return self if task.head == "tokens" else replace(self, tied=True, scores=task.scores)

    @property
    def parameters(self) -> int:
        """All weights: embedding, head unless tied, what scores texts, layers, last norm."""
        layer = sum(linear.parameters for linear in self.linears) + self.norms
        ends = self.vocabulary * (1 if self.tied else 2) + (self.scores or 0)
        return ends * self.hidden + self.layers * layer + self.hidden

    @property
    def matmul_parameters(self) -> int:
        """Weights that take part in matrix products of every token: the linear layers and the head, not the embedding's
        lookup."""
        head = self.vocabulary * self.hidden if self.scores is None else 0
        return self.layers * sum(one.inputs * one.outputs for one in self.linears) + head

    def trained(self, tuner: Tuner) -> int:
        """Weights that the tuner trains. Raises ValueError for target modules that the model does not have."""
        if tuner.full is not None:
            return self.parameters
        lora = tuner.lora or Lora()
        targets = self._targets(lora)
        numbers = sum(lora.rank * (one.inputs + one.outputs) * count for one, count in targets)
        numbers += (self.scores or 0) * self.hidden  # as a whole
        return numbers + (sum(one.outputs * count for one, count in targets) if lora.use_dora else 0)

    def _targets(self, lora: Lora) -> list[tuple[Linear, int]]:
        """The layers that are adapted and how many of each there are. A is rank x inputs and B outputs x rank
        (arXiv:2106.09685); DoRA adds a magnitude for each output."""
        within = [(linear, self.layers) for linear in self.linears]
        if lora.target_modules == ["all-linear"]:
            return within
        outside = [
            (Linear("embed_tokens", self.vocabulary, self.hidden, False), 1),
            (Linear("lm_head", self.hidden, self.vocabulary, False), 1),
        ]
        known = {linear.name: (linear, count) for linear, count in (*within, *outside)}
        wanted = {name: name.rsplit(".", 1)[-1] for name in lora.target_modules}
        unknown = [name for name, last in wanted.items() if last not in known or _layer(name) >= self.layers]
        if unknown:
            raise ValueError(
                f"targetModules {', '.join(unknown)}: the model has {self.layers} layers of {', '.join(known)}"
            )
        whole = {last for name, last in wanted.items() if _layer(name) < 0}
        single = {(last, _layer(name)) for name, last in wanted.items() if last not in whole}
        return [known[last] for last in whole] + [(known[last][0], 1) for last, _ in single]


def _layer(target: str) -> int:
    """Which layer a name such as `layers.3.self_attn.q_proj` speaks of; -1: of each."""
    found = re.search(r"(?:^|\.)layers\.(\d+)\.", target)
    return int(found[1]) if found else -1


def shape_of(config: Mapping[str, Any]) -> ModelShape:
    """The shape of the model whose config.json is `config`.

    Raises ValueError for a model_type whose layout is not known here, and for a config that lacks a size.
    """
    model_type = config.get("model_type")
    if model_type not in FAMILIES:
        raise ValueError(f"model_type {model_type!r} cannot be estimated; known are {', '.join(FAMILIES)}")
    needed = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size")
    missing = [name for name in needed if not isinstance(config.get(name), int)]
    if missing:
        raise ValueError(f"config.json lacks {', '.join(missing)}")
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    head = config.get("head_dim") or hidden // heads
    key_value = (config.get("num_key_value_heads") or heads) * head
    family = FAMILIES[model_type]
    return ModelShape(
        hidden=hidden,
        layers=config["num_hidden_layers"],
        attention=heads * head,
        key_value=key_value,
        intermediate=config["intermediate_size"],
        vocabulary=config["vocab_size"],
        tied=bool(config.get("tie_word_embeddings", False)),
        linears=_linears(config, family, heads * head, key_value),
        stored_width=WIDTHS.get(config.get("dtype") or config.get("torch_dtype") or "float32", 4),
        norms=2 * hidden + (2 * head if family.head_norms else 0),
    )


def _linears(config: Mapping[str, Any], family: Family, attention: int, key_value: int) -> tuple[Linear, ...]:
    hidden, intermediate = config["hidden_size"], config["intermediate_size"]

    def biased(fixed: bool | None, field: str) -> bool:
        return bool(config.get(field, False)) if fixed is None else fixed

    qkv, output = biased(family.qkv_bias, "attention_bias"), biased(family.output_bias, "attention_bias")
    mlp = biased(family.mlp_bias, "mlp_bias")
    return (
        Linear("q_proj", hidden, attention, qkv),
        Linear("k_proj", hidden, key_value, qkv),
        Linear("v_proj", hidden, key_value, qkv),
        Linear("o_proj", attention, hidden, output),
        Linear("gate_proj", hidden, intermediate, mlp),
        Linear("up_proj", hidden, intermediate, mlp),
        Linear("down_proj", intermediate, hidden, mlp),
    )
