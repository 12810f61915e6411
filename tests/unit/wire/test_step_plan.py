"""How a step is computed, and why."""

from dataclasses import replace
from typing import Any

import pytest
from swiftlet.api.v1alpha1.tuner import Tuner
from swiftlet.wire.documents import TrainDocument
from swiftlet.wire.step_plan import Hardware, plan_step, unmet

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
    (problem,) = unmet(document(precision="bf16"), replace(CPU, bf16=False))
    assert problem.startswith("training.precision: bf16, but this cpu does not multiply it; set")
    assert unmet(document(precision="bf16"), CPU) == []
    assert unmet(document(), replace(CPU, bf16=False)) == []


@pytest.mark.parametrize(
    ("strategy", "precision", "masters"), [("ddp", "bf16", True), ("ddp", "fp32", False), ("zero2", "bf16", False)]
)
def test_master_weights_where_nobody_else_keeps_them(strategy: str, precision: str, masters: bool) -> None:
    assert plan_step(document(strategy, precision=precision), CPU).master_weights.value is masters


@pytest.mark.parametrize(
    ("strategy", "device", "chosen"), [("ddp", "cpu", "fused"), ("zero3", "cpu", "fused"), ("ddp", "cuda", "own")]
)
def test_norms(strategy: str, device: Any, chosen: str) -> None:
    assert plan_step(document(strategy), replace(CPU, device=device)).norms.value == chosen


@pytest.mark.parametrize(
    ("asked", "device", "chosen"), [(None, "cpu", 0), (None, "cuda", 1), (3, "cpu", 3), (0, "cuda", 0)]
)
def test_data_workers(asked: int | None, device: Any, chosen: int) -> None:
    plan = plan_step(document(dataloaderNumWorkers=asked), replace(CPU, device=device))
    assert plan.data_workers.value == chosen
    assert ("dataloaderNumWorkers" in plan.data_workers.reason) == (asked is not None)


def test_the_loss_says_what_comes_with_it() -> None:
    assert "entropy" not in plan_step(document(), CPU).loss.reason
    assert "training.tokenMetrics" in plan_step(document(tokenMetrics=True), CPU).loss.reason


@pytest.mark.parametrize(
    ("strategy", "packing", "device", "chosen", "batches"),
    [
        ("ddp", True, "cpu", "row_by_row", "packed"),
        ("zero2", True, "cpu", "row_by_row", "packed"),
        ("zero3", True, "cpu", "row_by_row", "packed"),
        ("ddp", True, "cuda", "varlen", "packed"),
        ("ddp", False, "cpu", "row_by_row", "padding-free"),
        ("zero3", False, "cpu", "row_by_row", "padding-free"),
        ("ddp", False, "cuda", "varlen", "padding-free"),
        ("zero3", True, "cuda", "sdpa", "packed"),
    ],
)
def test_attention_and_batches(strategy: str, packing: bool, device: Any, chosen: str, batches: str) -> None:
    asked = document(strategy)
    asked = asked.model_copy(update={"template": asked.template.model_copy(update={"packing": packing})})
    plan = plan_step(asked, replace(CPU, device=device))
    assert (plan.attention.value, plan.batches.value) == (chosen, batches)


def test_flash_attention_multiplies_no_fp32() -> None:
    plan = plan_step(document(precision="fp32"), replace(CPU, device="cuda"))
    assert (plan.attention.value, plan.batches.value) == ("sdpa", "length-grouped")


@pytest.mark.parametrize(
    ("strategy", "device", "training", "chosen"),
    [
        ("ddp", "cuda", {}, True),
        ("zero2", "cuda", {}, True),
        ("zero3", "cuda", {}, False),
        ("ddp", "cpu", {}, False),
        ("ddp", "cuda", {"torchCompile": True}, False),
        ("ddp", "cuda", {"useLigerKernel": False}, False),
        ("ddp", "cuda", {"useLigerKernel": True, "torchCompile": True}, True),
    ],
)
def test_liger(strategy: str, device: Any, training: dict[str, Any], chosen: bool) -> None:
    liger = plan_step(document(strategy, **training), replace(CPU, device=device)).liger
    assert liger.value is chosen
    assert ("training.useLigerKernel" in liger.reason) == ("useLigerKernel" in training)


def test_kernels_that_the_hardware_lacks_are_refused() -> None:
    problems = unmet(document(useLigerKernel=True, precision="bf16"), replace(CPU, bf16=False, c_compiler=False))
    assert len(problems) == 2, "all of them at once"
    assert problems[1] == "training.useLigerKernel: true, but its kernels need a GPU; leave it out"
    assert unmet(document(useLigerKernel=True), replace(CPU, device="cuda")) == []
    assert unmet(document(useLigerKernel=False), CPU) == []


def test_without_a_compiler_there_are_no_triton_kernels() -> None:
    bare = replace(CPU, device="cuda", c_compiler=False)
    (problem,) = unmet(document(useLigerKernel=True), bare)
    assert "Triton needs gcc or clang and Python.h for it; add them, or do without" in problem
    assert unmet(document(), bare) == []
    assert not plan_step(document(), bare).liger.value


@pytest.mark.parametrize(
    ("tuner", "strategy", "chosen"),
    [
        ({"lora": {}}, "ddp", "fused"),
        ({"lora": {}}, "zero2", "fused"),
        ({"lora": {}}, "zero3", "fused"),
        ({"lora": {"dropout": 0.1}}, "ddp", "fused"),
        ({"lora": {"useDora": True}}, "ddp", "peft"),
        ({"full": {}}, "ddp", "none"),
    ],
)
def test_adapters(tuner: dict[str, Any], strategy: str, chosen: str) -> None:
    tuned = document(strategy).model_copy(update={"tuner": Tuner.model_validate(tuner)})
    assert plan_step(tuned, CPU).adapters.value == chosen


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_layers_are_compiled_when_it_is_asked_for(device: Any) -> None:
    hardware = replace(CPU, device=device)
    assert plan_step(document(torchCompile=True), hardware).compile.value
    plain = plan_step(document(), hardware).compile
    assert not plain.value
    assert "training.torchCompile: true asks for it" in plain.reason
    sharded = plan_step(document("zero3"), hardware).compile
    assert not sharded.value
    assert "torchCompile" not in sharded.reason  # it would be refused


def test_processes_share_the_cores() -> None:
    assert plan_step(document(), CPU).threads.value == 4
    assert plan_step(document(), replace(CPU, processes=64)).threads.value == 1


def test_every_choice_has_a_reason() -> None:
    lines = plan_step(document(), CPU).lines()
    assert lines[0] == "task sft: the next token of the assistant's turns, or of every token"
    assert lines[1] == "precision bf16: this cpu multiplies bf16"
    assert lines[2] == "master weights yes: updates too small for bf16 would be lost"
    assert len(lines) == 12
    assert all(line.partition(": ")[2] for line in lines)
