"""A script with transformers' Trainer, and no word of ours in it, reports through the variables of its pod."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from swiftlet.api.v1alpha1.finetunejob import FineTuneJob
from swiftlet.kinds import Capabilities
from swiftlet.kinds.frame.progress import reported
from swiftlet.kinds.pods.reporting import report_env

JOB = {
    "kind": "FineTuneJob",
    "metadata": {"name": "bird", "uid": "uid-bird"},
    "spec": {"model": {"uri": "hf://org/model"}, "datasets": [{"uri": "configmap://rows/a.jsonl"}]},
}
SCRIPT = """
import torch
from transformers import Trainer, TrainingArguments

class Line(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.slope = torch.nn.Linear(1, 1)

    def forward(self, x, labels):
        return {"loss": torch.nn.functional.mse_loss(self.slope(x), labels)}

rows = [{"x": torch.tensor([float(i % 5)]), "labels": torch.tensor([2.0 * (i % 5)])} for i in range(40)]
settings = TrainingArguments(
    output_dir="out", max_steps=10, per_device_train_batch_size=4, logging_steps=1, report_to=["kubeflow"],
    save_strategy="no", use_cpu=True, disable_tqdm=True, learning_rate=1e-2, lr_scheduler_type="constant",
)
Trainer(model=Line(), args=settings, train_dataset=rows).train()
"""


def test_its_figures_land_where_a_status_takes_them_from(serve: Any, cluster: Any, tmp_path: Path) -> None:
    token = cluster.add("bird-0", "bird")
    (tmp_path / "token").write_text(token)

    async def scenario(endpoint: Any) -> None:
        job = FineTuneJob.model_validate(JOB)
        env = report_env(job, Capabilities(progress_url=f"{endpoint.url}/progress"))
        variables = {entry["name"]: entry["value"] for entry in env}
        variables |= {
            "KUBEFLOW_TRAINER_SERVER_TOKEN": str(tmp_path / "token"),
            "HF_HUB_OFFLINE": "1",
            "HOME": str(tmp_path),
        }
        run = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SCRIPT, env=variables, cwd=tmp_path, stderr=asyncio.subprocess.PIPE
        )
        _, said = await asyncio.wait_for(run.communicate(), 240)
        assert run.returncode == 0, said.decode()
        progress = reported(None, endpoint.board.of("uid-bird"))
        assert progress is not None
        assert progress.percent < 100 or progress.step == progress.total_steps, "not done before a step says so"
        assert progress.total_steps in (0, 10)
        assert float(progress.loss or "nan") < 20 and progress.learning_rate == "0.01"
        assert float(progress.epoch or 0) == 1.0
        assert endpoint.registry.get_sample_value("swiftlet_progress_reports_total", {"code": "200"}) >= 2

    serve(scenario)
