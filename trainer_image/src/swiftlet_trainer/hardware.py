"""What the machine computes with."""

import os
import shutil
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

from swiftlet.wire.processor import usable_cores
from swiftlet.wire.step_plan import Hardware


@cache
def multiplies_bf16(use_gpu: bool) -> bool:
    """Whether the device multiplies bfloat16 matrices in hardware.

    CUDA from compute capability 8.0; CPUs with avx512_bf16 or AMX tiles. Elsewhere bf16 is emulated and slow.
    """
    import torch

    if use_gpu:
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def compute_dtype(use_gpu: bool) -> Any:
    """The torch.dtype to load weights in: bfloat16 where the hardware multiplies it, else float32."""
    import torch

    return torch.bfloat16 if multiplies_bf16(use_gpu) else torch.float32


@cache
def has_c_compiler() -> bool:
    """Whether Triton finds one, and Python's headers for it. Source: triton/runtime/build.py."""
    compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang")
    return bool(compiler) and Path(sysconfig.get_path("include", "posix_prefix"), "Python.h").is_file()


def detect_hardware(use_gpu: bool, processes: int) -> Hardware:
    """The hardware of this pod, of which `processes` training processes share the cores."""
    return Hardware(
        device="cuda" if use_gpu else "cpu",
        bf16=multiplies_bf16(use_gpu),
        physical_cores=usable_cores(),
        processes=processes,
        c_compiler=has_c_compiler(),
    )
