"""How a step is computed, and why."""

import os
from dataclasses import replace
from typing import Any

import psutil
import pytest
from swiftlet.api.job import TrainDocument
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.training.step_plan import Hardware, detect_hardware, plan_step

CPU = Hardware(device="cpu", bf16=True, physical_cores=8, processes=2)


def document(strategy: str = "ddp", **training: Any) -> TrainDocument:
    return TrainDocument.model_validate(
        {
            "name": "n", "namespace": "ns", "uid": "u", "model": {"uri": "m"}, "datasets": [], "task": {},
            "tuner": {"lora": {}}, "template": {}, "training": training, "checkpoints": {}, "nodes": 1,
            "processesPerNode": 2, "strategy": strategy, "perDeviceBatchSize": 4, "gradientAccumulationSteps": 1,
            "useGpu": False, "outputDir": "/o", "artifactUri": "pvc://c/p",
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "bf16", "chosen"),
    [("auto", True, "bf16"), ("auto", False, "fp32"), ("fp32", True, "fp32"), ("bf16", True, "bf16")],
)
def test_precision(asked: str, bf16: bool, chosen: str) -> None:
    assert plan_step(document(precision=asked), replace(CPU, bf16=bf16)).precision.value == chosen


def test_precision_that_the_hardware_lacks_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"training\.precision: bf16, but this cpu does not multiply it"):
        plan_step(document(precision="bf16"), replace(CPU, bf16=False))


@pytest.mark.parametrize(
    ("strategy", "precision", "masters"), [("ddp", "bf16", True), ("ddp", "fp32", False), ("zero2", "bf16", False)]
)
def test_master_weights_where_nobody_else_keeps_them(strategy: str, precision: str, masters: bool) -> None:
    assert plan_step(document(strategy, precision=precision), CPU).master_weights.value is masters


@pytest.mark.parametrize(
    ("strategy", "packing", "device", "chosen"),
    [
        ("ddp", True, "cpu", "row_by_row"),
        ("zero2", True, "cpu", "row_by_row"),
        ("zero3", True, "cpu", "sdpa"),
        ("ddp", True, "cuda", "sdpa"),
        ("ddp", False, "cpu", "sdpa"),
    ],
)
def test_attention(strategy: str, packing: bool, device: Any, chosen: str) -> None:
    packed = document(strategy)
    packed = packed.model_copy(update={"template": packed.template.model_copy(update={"packing": packing})})
    assert plan_step(packed, replace(CPU, device=device)).attention.value == chosen


def test_processes_share_the_cores() -> None:
    assert plan_step(document(), CPU).threads.value == 4
    assert plan_step(document(), replace(CPU, processes=64)).threads.value == 1


def test_every_choice_has_a_reason() -> None:
    lines = plan_step(document(), CPU).lines()
    assert len(lines) == 7
    assert all(" - " in line and not line.endswith("- ") for line in lines)


def test_this_machine() -> None:
    found = detect_hardware(use_gpu=False, processes=1)
    assert 1 <= found.physical_cores <= len(os.sched_getaffinity(0)) <= (psutil.cpu_count() or 1)
