"""What a model's architecture does not allow of a plan is said."""

from dataclasses import replace
from pathlib import Path

import torch
from swiftlet.wire.documents import TrainDocument
from swiftlet.wire.step_plan import Choice, Hardware, plan_step
from swiftlet_trainer.tasks.registry import task_of
from swiftlet_trainer.training.model import load_trainable
from transformers import FalconConfig, FalconForCausalLM

DOCUMENT = TrainDocument.model_validate(
    {
        "name": "n", "namespace": "ns", "uid": "u", "model": {"uri": "m"}, "datasets": [], "task": {},
        "tuner": {"lora": {}}, "template": {}, "training": {}, "checkpoints": {}, "nodes": 1, "processesPerNode": 1,
        "strategy": "ddp", "perDeviceBatchSize": 4, "gradientAccumulationSteps": 2, "useGpu": False,
        "outputDir": "/o", "artifactUri": "pvc://c/p",
    }
)  # fmt: skip


def test_attention_and_kernels_that_do_not_fit_are_told(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = FalconConfig(vocab_size=128, hidden_size=32, num_hidden_layers=1, num_attention_heads=4)
    FalconForCausalLM(config).save_pretrained(tmp_path)
    plan = plan_step(DOCUMENT, Hardware(device="cpu", bf16=False, physical_cores=1, processes=1))
    said: list[str] = []
    plan = replace(plan, liger=Choice(True, "as on a GPU"))
    model = load_trainable(DOCUMENT, task_of(DOCUMENT), tmp_path, plan, said.append)
    assert said == [
        "rows are padded: this architecture does not allow row_by_row",
        "attention sdpa; rewritten: nothing; left out: Liger's kernels (they fit nothing in FalconForCausalLM), norms "
        "in one piece (they fit nothing in FalconForCausalLM), adapters in one piece (they fit nothing in "
        "FalconForCausalLM)",
    ]
    assert model.config._attn_implementation == "sdpa"
