"""What this machine computes with."""

import os

import psutil
from swiftlet_trainer.hardware import detect_hardware


def test_this_machine() -> None:
    found = detect_hardware(use_gpu=False, processes=1)
    assert 1 <= found.physical_cores <= len(os.sched_getaffinity(0)) <= (psutil.cpu_count() or 1)
