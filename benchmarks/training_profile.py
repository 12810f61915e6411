"""Where a step's time goes: operators of a few steps, by what they are for.

Imported in the peers' environments too: nothing but the standard library and torch.
"""

import os
import time
from typing import Any

HEAD_WIDTHS = (49152, 32768, 16384)
"""A tensor this wide belongs to the head or the loss: the vocabulary of the benchmark's model, and the parts of it that
TRL works through. No layer of the model is, and no batch has so many tokens."""
GROUPS = ("linear layers", "attention", "head and loss", "norms, rope, activations", "casts and copies", "optimizer")
REST = "Python, data and other"
OPERATORS = {
    "attention": ("scaled_dot_product", "flash_attention", "bmm", "baddbmm", "softmax"),
    "linear layers": ("mm", "addmm", "addmm_", "linear", "matmul", "mkldnn_linear", "mkl_linear"),
    "head and loss": ("log_softmax", "nll_loss", "cross_entropy", "logsumexp", "gather"),
    "optimizer": ("_foreach", "_fused_adam", "addcdiv", "addcmul", "lerp", "linalg_vector_norm"),
    "casts and copies": ("copy_", "_to_copy", "to", "clone", "contiguous", "cat", "index", "embedding"),
}


def group_of(operator: str, shapes: list[Any]) -> str:
    """The group of an operator by its name and the shapes of its inputs."""
    name = operator.removeprefix("aten::").removeprefix("autograd::engine::evaluate_function: ")
    name = name.removesuffix("_backward")
    if (
        any(any(width in shape for width in HEAD_WIDTHS) for shape in shapes if isinstance(shape, (list, tuple)))
        and "embedding" not in name
    ):
        return "head and loss"
    for group, names in OPERATORS.items():
        exact = group in ("linear layers", "casts and copies")
        if any(name == each if exact else each in name for each in names):
            return group
    return GROUPS[3] if operator.startswith("aten::") else REST


class StepProfile:
    """Profiles all steps but the first, which warms up."""

    def __init__(self) -> None:
        self._profiler: Any = None
        self._began = 0.0

    @classmethod
    def asked(cls) -> "StepProfile | None":
        """The profile that the environment asks for."""
        return cls() if os.environ.get("BENCH_PROFILE") else None

    def first_step_done(self) -> None:
        """The profiler begins."""
        from torch.profiler import ProfilerActivity, profile

        self._profiler = profile(activities=[ProfilerActivity.CPU], record_shapes=True)
        self._profiler.start()
        self._began = time.perf_counter()

    def seconds(self) -> dict[str, float]:
        """Stop; wall seconds by group. What no operator of the main thread accounts for is the rest."""
        assert self._profiler is not None, "a profile needs two steps"
        wall = time.perf_counter() - self._began
        self._profiler.stop()
        spent = dict.fromkeys((*GROUPS, REST), 0.0)
        for event in self._profiler.key_averages(group_by_input_shape=True):
            spent[group_of(event.key, list(event.input_shapes or []))] += event.self_cpu_time_total / 1e6
        spent[REST] = max(0.0, wall - sum(seconds for group, seconds in spent.items() if group != REST))
        return spent
