"""Which attention keeps rows of one sequence apart, where a model allows it.

Attention is all that tokens see of each other in most architectures, and then rows need no padding between them: a
batch is one sequence. Whether a model is of that kind is found by trying it.
"""

from typing import Any

import torch
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from swiftlet_trainer.training.attention_options import WINDOW
from swiftlet_trainer.training.probe import POSITIONS, SHARED, agree, alone, together
from swiftlet_trainer.training.row_by_row import row_by_row

ROW_BY_ROW, VARLEN = "row_by_row", "varlen"
"""Names of the implementations, as a model's config has them. Source: transformers, "Attention Interface"."""
PADDING_FREE = (ROW_BY_ROW, VARLEN)
WINDOWS = ("sliding_window", "attention_chunk_size")
"""Settings of a config that let a token see so many others at most."""


def _kernel(way: str) -> Any:
    if way == ROW_BY_ROW:
        return row_by_row
    # Imported where it is used: what it brings takes 50 ms.
    from swiftlet_trainer.training.varlen import varlen

    return varlen


def _register(way: str, kernel: Any) -> None:
    """Make transformers know `way`. The kernels are causal by themselves, and no other mask is needed."""
    AttentionInterface.register(way, kernel)
    AttentionMaskInterface.register(way, lambda *_args, **_kwargs: None)


def _for_rows_of(longest: int, kernel: Any) -> Any:
    """`kernel`, which refuses what it would refuse for rows of `longest` tokens: those that are tried are short."""

    def tried(*tensors: Any, **options: Any) -> Any:
        window = options.get(WINDOW)
        if window is not None and window < longest:
            raise ValueError(f"rows of {longest} tokens are longer than a window of {window}")
        return kernel(*tensors, **options)

    return tried


@torch.no_grad()
def keep_rows_apart(model: Any, way: str, longest: int) -> bool:
    """Have `model` attend in `way` where rows of a sequence then mean what they mean alone; whether it now does.

    model: not yet wrapped, its weights whole. way: of PADDING_FREE. longest: tokens of the longest row. Architectures
    that hand no position_ids to their attention, that cap scores, drop some, have windows shorter than a row, or mix
    tokens outside of attention too, stay as they are.
    """
    config = model.config.get_text_config()
    if getattr(config, "attention_dropout", 0.0):
        return False
    if any((getattr(config, name, None) or longest) < longest for name in WINDOWS):
        return False
    kernel = _kernel(way)
    _register(way, _for_rows_of(longest, kernel))
    own = model.config._attn_implementation
    positions = SHARED if way == ROW_BY_ROW else POSITIONS
    apart = alone(model, positions)
    try:
        model.set_attn_implementation(way)
        # Older architectures warn and keep their own.
        same = model.config._attn_implementation == way and agree(model, apart, together(model, True, positions))
    # TypeError where the model takes no bounds; RuntimeError from the kernel: heads of a size that it does not know.
    except (TypeError, ValueError, RuntimeError):
        same = False
    _register(way, kernel)
    if not same:
        model.set_attn_implementation(own)
    return same


@torch.no_grad()
def packing_problem(model: Any) -> str | None:
    """Why packed rows would not mean to `model` what they mean alone, if they would not.

    model: not yet wrapped, its weights whole. Recurrent and convolutional layers run on from one row into the next.
    """
    if agree(model, alone(model), together(model)):
        return None
    return (
        f"template.packing: {type(model).__name__} lets the rows of a sequence see each other, and would learn from "
        "texts that nobody wrote; set packing: false"
    )
