"""A small model of the same architecture, to try what cannot be tried on the model itself."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch

HEAD_SIZE = 16
HEADS = 4
VOCABULARY = 256
SEED = 0
MAMBA = {
    "mamba_n_heads": 2 * HEADS,
    "mamba_d_head": HEAD_SIZE,
    "mamba_d_ssm": 2 * HEADS * HEAD_SIZE,
    "mamba_d_state": HEAD_SIZE,
    "mamba_n_groups": 1,
    "mamba_chunk_size": 16,
    "mamba_num_heads": 2 * HEADS,
    "mamba_head_dim": HEAD_SIZE,
    "num_heads": 2 * HEADS,
    "ssm_state_size": HEAD_SIZE,
    "n_groups": 1,
    "chunk_size": 16,
}
"""State space layers, which expand hidden states twofold, by the names that architectures have for their sizes."""
SPREAD = 0.5
"""Standard deviation of the weights: with the usual small one, what a row sees of others hardly shows."""


def shrunk(model: Any, layers: int | None = None) -> Any:
    """A model of `model`'s class and config in fp32 on the CPU, with narrow layers of random weights: all layers, since
    in some architectures only every eighth is of another kind, or the first `layers`. None where the architecture has
    no such form.

    Random numbers go on as they were. Not within ZeRO-3's contexts, which would shard it.
    """
    device, dtype = torch.device("cpu"), torch.get_default_dtype()
    with torch.random.fork_rng(devices=[]), device, _unsharded():
        torch.set_default_dtype(torch.float32)
        torch.manual_seed(SEED)
        try:
            made = type(model)(narrow(model.config, layers))
        except (ValueError, RuntimeError, AssertionError, KeyError, TypeError, IndexError):
            return None
        finally:
            torch.set_default_dtype(dtype)
    return made.eval()


@contextmanager
def _unsharded() -> Iterator[None]:
    """Within, models that make their backbone by its config, such as those that score texts, are not sharded."""
    from transformers.integrations import deepspeed

    known = deepspeed._hf_deepspeed_config_weak_ref
    deepspeed.unset_hf_deepspeed_config()
    try:
        yield
    finally:
        deepspeed._hf_deepspeed_config_weak_ref = known


def narrow(config: Any, layers: int | None = None) -> Any:
    """A copy of `config` with few and small heads and a small vocabulary; how many experts stays, and how many layers
    where nothing is said of them."""
    small = copy.deepcopy(config)
    text = small.get_text_config()
    if layers is not None and layers < (count := text.num_hidden_layers):
        # What is said of each layer is a list.
        each = {name: value[:layers] for name, value in vars(text).items() if _is_list_of(count, value)}
        text.update({"num_hidden_layers": layers, **each})
    heads, shared = getattr(text, "num_attention_heads", HEADS), getattr(text, "num_key_value_heads", None)
    sizes = {
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS if shared == heads else 1 if shared == 1 else 2,
        "hidden_size": HEADS * HEAD_SIZE,
        "head_dim": HEAD_SIZE,
        "intermediate_size": 2 * HEADS * HEAD_SIZE,
        "moe_intermediate_size": HEADS * HEAD_SIZE,
        "shared_expert_intermediate_size": HEADS * HEAD_SIZE,
        "vocab_size": VOCABULARY,
        **MAMBA,
        "initializer_range": SPREAD,
    }
    for name, size in sizes.items():
        if getattr(text, name, None) is not None:
            with suppress(AttributeError):  # what an architecture computes of others, such as Falcon's head_dim
                setattr(text, name, size)
    for name in ("pad_token_id", "bos_token_id", "eos_token_id"):
        setattr(text, name, None)
    return small


def _is_list_of(count: int, value: Any) -> bool:
    return isinstance(value, list) and len(value) == count
