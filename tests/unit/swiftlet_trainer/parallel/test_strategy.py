"""DeepSpeed's settings."""

from typing import Any

import pytest
import torch
from swiftlet.wire.documents import TrainDocument
from swiftlet_trainer.parallel.strategy import deepspeed_config, zero_stage


def document(strategy: str, tuner: str = "lora") -> TrainDocument:
    return TrainDocument.model_validate(
        {
            "name": "n", "namespace": "ns", "uid": "u", "model": {"uri": "m"}, "datasets": [], "task": {},
            "tuner": {tuner: {}}, "template": {}, "training": {"maxGradNorm": 0.5}, "checkpoints": {}, "nodes": 1,
            "processesPerNode": 2, "strategy": strategy, "perDeviceBatchSize": 2, "gradientAccumulationSteps": 3,
            "useGpu": False, "outputDir": "/o", "artifactUri": "pvc://c/p",
        }
    )  # fmt: skip


def test_ddp_is_without_deepspeed() -> None:
    assert deepspeed_config(document("ddp"), 2, bf16=True) is None
    assert zero_stage("ddp") == 0


@pytest.mark.parametrize(("strategy", "stage"), [("zero1", 1), ("zero2", 2), ("zero3", 3)])
def test_deepspeed_accepts_the_settings(strategy: str, stage: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DS_ACCELERATOR", "cpu")
    from deepspeed.runtime.config import DeepSpeedConfig

    config: Any = deepspeed_config(document(strategy), 1, bf16=True)
    read = DeepSpeedConfig(config)
    assert read.zero_config.stage == stage
    assert (read.train_batch_size, read.gradient_clipping, read.bfloat16_config.enabled) == (6, 0.5, True)


@pytest.mark.parametrize(("tuner", "told"), [("lora", torch.float32), ("full", None)])
def test_gradients_of_adapters_are_summed_in_fp32(
    tuner: str, told: torch.dtype | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DS_ACCELERATOR", "cpu")
    from deepspeed.runtime.config import DeepSpeedConfig

    read = DeepSpeedConfig(deepspeed_config(document("zero2", tuner), 1, bf16=True))
    assert read.communication_data_type == told
    assert read.grad_accum_dtype == (None if told is None else "fp32")
