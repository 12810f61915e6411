"""torch.compile of a model's layers, each in place, so that names of weights stay as they are.

All layers of a model share one piece of code, so what is compiled for the first serves them all. Source: PyTorch,
"Reducing torch.compile cold start compilation time with regional compilation".
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from swiftlet.wire.messages import Compilation
from transformers import AttentionInterface
from transformers.modeling_layers import GradientCheckpointingLayer

from swiftlet_trainer.data.encode import IGNORED
from swiftlet_trainer.training.attention import ROW_BY_ROW
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.training.row_by_row import row_by_row

CACHE_FOLDER = "compiled"
"""Below a run's folder, one folder per process: what is compiled once is read again after a restart."""
PROBE_LENGTHS = (48, 80)
"""Tokens of the rows that are tried: two lengths, since what was compiled for one must not be good for it alone."""


def compile_layers(model: Any, collator: Collator, rows: int, cache: Path) -> Compilation:
    """Compile the layers of `model`, and try them forwards and backwards; on any failure they stay as they were.

    model: tuned, not yet wrapped, its weights whole. collator: makes the run's batches. rows: of a forward pass.
    cache: folder for what is compiled. Weights, gradients and random numbers are as before.
    """
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(cache)
    layers = [layer for layer in model.modules() if isinstance(layer, GradientCheckpointingLayer)]
    if not layers:
        return Compilation(reason="CompileFailed", message=f"{type(model).__name__} has no layers that are alike")
    # A list of calls, as many as there are rows, and nothing to gain from.
    AttentionInterface.register(ROW_BY_ROW, torch.compiler.disable(row_by_row))
    started, training = time.monotonic(), model.training
    model.train()
    # The first layer is then like the others; frozen embeddings would have it compiled by itself.
    model.enable_input_require_grads()
    for layer in layers:
        layer.compile(dynamic=True)
    torch._dynamo.config.suppress_errors = False
    try:
        with torch.random.fork_rng():
            for length in PROBE_LENGTHS:
                _try(model, collator, rows, length)
    except Exception as error:  # whatever a compiler may say, the run goes on without it
        for layer in layers:
            layer._compiled_call_impl = None
        return Compilation(reason="CompileFailed", message=f"the run goes on without it: {_first_line(error)}")
    finally:
        model.zero_grad(set_to_none=True)
        model.train(training)
    # Shapes that are met later are compiled when they are met; should that fail, such a call is computed as before.
    torch._dynamo.config.suppress_errors = True
    seconds = time.monotonic() - started
    return Compilation(reason="Compiled", message=f"{len(layers)} layers in {seconds:.0f} s")


class _Eagerly:
    """The stance of the compiler is the process's: of several threads the first sets it, and the last sets it back."""

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if not self._inside:
                self._stance = torch.compiler.set_stance("force_eager")
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    self._stance.__exit__(None, None, None)


_eagerly = _Eagerly()


def eagerly() -> AbstractContextManager[Any]:
    """Compute as if nothing had been compiled: evaluation would have everything compiled anew, for a few passes."""
    # To import the compiler takes a second, and runs that do without it need not.
    return _eagerly() if "torch._dynamo" in sys.modules else nullcontext()


@contextmanager
def as_used(model: Any) -> Iterator[None]:
    """Within, `model` computes as it does when it is used: nothing is dropped at random, and nothing compiled anew."""
    learning = model.training
    model.eval()
    try:
        with eagerly():
            yield
    finally:
        model.train(learning)


def _try(model: Any, collator: Collator, rows: int, length: int) -> None:
    half = length // 2
    tokens = [number % model.config.get_text_config().vocab_size for number in range(length)]
    row: dict[str, Any] = {"input_ids": tokens, "labels": [IGNORED] * half + tokens[half:]}
    if collator.packed:
        row["seq_lengths"] = [half, length - half]
    batch = collator([row] * rows)["inputs"]
    outputs = model(**{name: _moved(value, model.device) for name, value in batch.items()})
    outputs[0].sum().backward()


def _moved(value: Any, device: torch.device) -> Any:
    return value.to(device) if isinstance(value, torch.Tensor) else value


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
