"""Tasks are found by the names of their blocks, and named nowhere else."""

import re
from pathlib import Path
from typing import Any

import pytest
import swiftlet_trainer
from swiftlet.api.v1alpha1.finetunejob import Task
from swiftlet.api.v1alpha1.progress import Progress
from swiftlet.wire.documents import TrainDocument
from swiftlet_trainer.tasks.registry import task_of

SOURCES = Path(swiftlet_trainer.__file__).parent


def document(**changes: Any) -> TrainDocument:
    return TrainDocument.model_validate(
        {
            "name": "n", "namespace": "ns", "uid": "u", "model": {"uri": "m"}, "datasets": [], "task": {},
            "tuner": {"full": {}}, "template": {}, "checkpoints": {}, "nodes": 1, "processesPerNode": 1,
            "training": {"globalBatchSize": 1}, "strategy": "ddp", "perDeviceBatchSize": 1,
            "gradientAccumulationSteps": 1, "useGpu": False, "outputDir": "/o", "artifactUri": "pvc://c/p", **changes,
        }
    )  # fmt: skip


@pytest.mark.parametrize("name", Task.model_fields)
@pytest.mark.parametrize("metrics", [False, True])
def test_every_block_of_the_api_has_its_task(name: str, metrics: bool) -> None:
    found = task_of(document(task={name: {}}, training={"globalBatchSize": 1, "tokenMetrics": metrics}))
    assert type(found).__module__.startswith(f"swiftlet_trainer.tasks.{name}.")
    told = found.told(dict.fromkeys(found.figures, 0.5))
    assert set(told) <= set(Progress.model_fields), "what is reported has a field"


@pytest.mark.parametrize("name", Task.model_fields)
def test_the_step_names_no_task(name: str) -> None:
    """Nor do the loop and what orders its rows: a method is its folder."""
    naming = re.compile(rf"tasks\.{name}\b|task\.{name}\b")
    files = [
        file for folder in ("training", "checkpoints", "tuners", "parallel") for file in SOURCES.glob(f"{folder}/*.py")
    ]
    assert files
    assert [file.name for file in files if naming.search(file.read_text())] == []
