"""Where a step's time goes: operators of a few steps, by what they are for.

Imported in the peers' environments too: nothing but the standard library and torch.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

HEAD_WIDTHS = (128256, 49152, 32768, 16384)
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
        self._gpu = False
        self._began = 0.0

    @classmethod
    def asked(cls) -> "StepProfile | None":
        """The profile that the environment asks for."""
        return cls() if os.environ.get("BENCH_PROFILE") else None

    def first_step_done(self) -> None:
        """The profiler begins."""
        import torch
        from torch.profiler import ProfilerActivity, profile

        # Of the device that does the work; operators are the CPU's, and have the time of the kernels they start.
        self._gpu = torch.cuda.is_initialized()
        activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if self._gpu else [])]
        self._profiler = profile(activities=activities, record_shapes=True)
        self._profiler.start()
        self._began = time.perf_counter()

    def seconds(self) -> dict[str, float]:
        """Stop; wall seconds by group. What no operator of the main thread accounts for is the rest."""
        assert self._profiler is not None, "a profile needs two steps"
        wall = time.perf_counter() - self._began
        self._profiler.stop()
        spent = dict.fromkeys((*GROUPS, REST), 0.0)
        for event in self._profiler.key_averages(group_by_input_shape=True):
            microseconds = event.self_device_time_total if self._gpu else event.self_cpu_time_total
            if not (self._gpu and "CUDA" in str(event.device_type)):
                spent[group_of(event.key, list(event.input_shapes or []))] += microseconds / 1e6
        if folder := os.environ.get("BENCH_KERNELS"):
            title = json.loads(Path("run.json").read_text())["title"]
            found = self._profiler.key_averages()
            table = found.table(sort_by="self_cuda_time_total", row_limit=80, max_name_column_width=90)
            (Path(folder) / f"{title.replace(' ', '-')}.txt").write_text(table)
        spent[REST] = max(0.0, wall - sum(seconds for group, seconds in spent.items() if group != REST))
        return spent
