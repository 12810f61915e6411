"""What the processor of this machine can do for a training step."""

import os
from pathlib import Path

BF16_FLAGS = ("amx_bf16", "avx512_bf16")
"""CPU features that multiply bfloat16. Source: Intel 64 and IA-32 Architectures Software Developer's Manual, CPUID."""


def bf16_flag() -> str | None:
    """The feature by which this CPU multiplies bfloat16, or None."""
    flags = _flags()
    return next((flag for flag in BF16_FLAGS if flag in flags), None)


def has_flag(flag: str) -> bool:
    """Whether this CPU has a feature, by Linux' name for it."""
    return flag in _flags()


def _flags() -> list[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])


def usable_cores() -> int:
    """Physical cores within this process's affinity mask: a matrix product gains nothing from hyper-threads."""
    import psutil

    usable = len(os.sched_getaffinity(0))
    physical = psutil.cpu_count(logical=False) or usable
    logical = psutil.cpu_count(logical=True) or usable
    return max(1, usable * physical // logical)
