"""Models with other heads, and batches of every layout."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from swiftlet_trainer.training.attention import ROW_BY_ROW, keep_rows_apart
from swiftlet_trainer.training.collate import Collator
from transformers import LlamaConfig

CONFIG = {
    "vocab_size": 300,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
}


@pytest.fixture
def config() -> Callable[..., LlamaConfig]:
    return lambda **changes: LlamaConfig(**CONFIG, **changes)


Layouts = Callable[[Any, list[dict[str, Any]]], dict[str, dict[str, Any]]]


@pytest.fixture
def layouts() -> Layouts:
    """The same rows as inputs of `model`, padded, packed and without padding; attention is that of the last."""

    def made(model: Any, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        packed = {name: [one for row in rows for one in row[name]] for name in ("input_ids", "labels")}
        packed["seq_lengths"] = [row["length"] for row in rows]
        assert keep_rows_apart(model, ROW_BY_ROW, 40)
        return {
            "padded": Collator(0)(rows)["inputs"],
            "packed": Collator(0, packed=True)([packed])["inputs"],
            "padding-free": Collator(0, padding_free=True)(rows)["inputs"],
        }

    return made


def attention_of(layout: str) -> str:
    return ROW_BY_ROW if layout == "padding-free" else "sdpa"


@pytest.fixture
def passed(layouts: Layouts) -> Callable[..., dict[str, torch.Tensor]]:
    """What a model with a head returns of the rows, by layout."""

    def passes(model: Any, rows: list[dict[str, Any]], attach: Callable[[Any], None]) -> dict[str, torch.Tensor]:
        inputs = layouts(model, rows)
        attach(model)
        found = {}
        for layout, given in inputs.items():
            model.set_attn_implementation(attention_of(layout))
            found[layout] = model(**given)[0]
        return found

    return passes
