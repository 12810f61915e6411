"""Flash attention 2 for peers where its package is not installed: PyTorch's own build of the same kernels.

The package is published as source alone and has to be compiled. `provide` stands in for the functions of it that
transformers calls in training.
"""

import importlib.machinery
import importlib.util
import inspect
import sys
import types
from typing import Any

import torch

VERSION = "2.7.4"
"""Any that transformers takes for flash attention 2: it asks for 2.3.3 or newer."""


def provide() -> None:
    """Make `flash_attention_2` available to transformers, if it is not yet."""
    if importlib.util.find_spec("flash_attn"):
        return
    from transformers.utils import import_utils

    package, padding = types.ModuleType("flash_attn"), types.ModuleType("flash_attn.bert_padding")
    for module in (package, padding):
        module.__spec__ = importlib.machinery.ModuleSpec(module.__name__, None)
        module.__file__ = __file__
        sys.modules[module.__name__] = module
    functions = {"flash_attn_varlen_func": flash_attn_varlen_func, "__version__": VERSION}
    for name, value in {**functions, "flash_attn_func": _unneeded, "flash_attn_with_kvcache": _unneeded}.items():
        setattr(package, name, value)
    for name in ("pad_input", "unpad_input"):
        setattr(padding, name, _unneeded)
    import_utils.PACKAGE_DISTRIBUTION_MAPPING["flash_attn"] = ["flash-attn"]
    import_utils.is_flash_attn_2_available.cache_clear()


def flash_attn_varlen_func(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    cu_seqlens_q: torch.Tensor,
    cu_seqlens_k: torch.Tensor,
    max_seqlen_q: int,
    max_seqlen_k: int,
    softmax_scale: float | None = None,
    causal: bool = False,
) -> torch.Tensor:
    """As flash_attn's function of that name: q, k, v of shape (tokens, heads, size)."""
    from torch.nn.attention.varlen import varlen_attn

    # Newer versions want to be told of shared heads; older ones do not know the word.
    shared = {"enable_gqa": True} if "enable_gqa" in inspect.signature(varlen_attn).parameters else {}
    window = (-1, 0) if causal else (-1, -1)
    bounds = (cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k)
    found: torch.Tensor = varlen_attn(q, k, v, *bounds, scale=softmax_scale, window_size=window, **shared)
    return found


def _unneeded(*_arguments: Any, **_named: Any) -> None:
    raise NotImplementedError("padding-free training calls flash_attn_varlen_func alone")
