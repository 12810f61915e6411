"""Which layers an adapter is put on."""

import re
from collections.abc import Iterator
from typing import Any

from swiftlet.api.v1alpha1.tuner import Lora
from torch import nn
from transformers.pytorch_utils import Conv1D

ALL_LINEAR = ["all-linear"]
LINEAR = (nn.Linear, Conv1D)
"""Conv1D is GPT-2's name for a linear layer whose weight lies the other way."""
EXPERTS = re.compile(r"(^|\.)experts(\.|$)")
"""Of many experts a step may use few, and a process whose adapters are unused has nothing to reduce."""
ROUTER = re.compile(r"(^|[._])(router|gate)(\.|$)")
"""Where there are experts, the layers that choose among them; `gate_proj` is none."""


def target_modules(model: Any, lora: Lora) -> list[str]:
    """Full names of the modules that `lora` adapts.

    `all-linear`: the language model's own linear layers. Not the head; neither experts nor what chooses among them; not
    the towers that read pictures or sound, which text does not pass through. Each of them can be named.
    """
    if lora.target_modules != ALL_LINEAR:
        return [name for name, _ in _adaptable(model) if any(_is_called(name, one) for one in lora.target_modules)]
    head, text = head_of(model), language_prefix(model)
    chosen = any(EXPERTS.search(name) for name, _ in model.named_modules())
    return [
        name
        for name, module in _adaptable(model)
        if isinstance(module, LINEAR)
        and module is not head
        and name.startswith(text)
        and not (chosen and (EXPERTS.search(name) or ROUTER.search(name)))
    ]


def head_of(model: Any) -> Any | None:
    """The layer behind the backbone: of logits, or of scores; None where there is none."""
    return model.get_output_embeddings() or getattr(model, "score", None)


def unknown_targets(model: Any, lora: Lora) -> list[str]:
    """One problem for each of lora.targetModules that names no layer to adapt, with the names that do."""
    if lora.target_modules == ALL_LINEAR:
        return []
    names = [name for name, _ in _adaptable(model)]
    known = ", ".join(sorted({name.rsplit(".", 1)[-1] for name in names}))
    return [
        f"tuner.lora.targetModules: no linear layer or embedding is called {target!r}; this model has {known}"
        for target in lora.target_modules
        if not any(_is_called(name, target) for name in names)
    ]


def language_prefix(model: Any) -> str:
    """Beginning of the names of a language model's layers inside of `model`, its head aside: where there is more than
    a language model, else empty."""
    if model.config.get_text_config() is model.config:
        return ""
    decoder = model.get_decoder()
    name = next((name for name, module in model.named_modules() if module is decoder), "")
    return f"{name}." if name else ""


def _adaptable(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    return ((name, one) for name, one in model.named_modules() if isinstance(one, (*LINEAR, nn.Embedding)))


def _is_called(name: str, target: str) -> bool:
    """As PEFT reads target_modules."""
    return name == target or name.endswith(f".{target}")
