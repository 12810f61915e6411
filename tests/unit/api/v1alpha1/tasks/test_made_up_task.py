"""What a new task costs: it is added to a copy of the sources, and is learnt from the document to the loss."""

import json
from pathlib import Path

from testbed.sources import SourceCopy

BLOCK = '''
"""Halves: supervised fine-tuning that is in no hurry."""

from typing import Annotated, ClassVar

from pydantic import Field

from swiftlet.api.v1alpha1.tasks.block import TaskBlock


class HalfTask(TaskBlock):
    """A share of the loss of texts."""

    learns: ClassVar[str] = "the next token of texts, by half"
    formats: ClassVar[tuple[str, ...]] = ("text",)
    reads_texts: ClassVar[bool] = True

    share: Annotated[float, Field(ge=0, le=1)] = Field(0.5, description="Of the loss.")
'''
ROWS = """
from swiftlet_trainer.tasks.pretrain.rows import TextRows, target_notes

def rows(document, tokenizer, segments):
    return TextRows(tokenizer, segments, document.template, assistant_only=False, channelled=False)
"""
LOSS = """
from dataclasses import dataclass

from swiftlet.api.v1alpha1.tasks.sft import SftTask

from swiftlet_trainer.tasks.base import StepLoss
from swiftlet_trainer.tasks.sft.task import Sft, metrics_of


@dataclass(frozen=True)
class Half(Sft):
    share: float = 0.5

    def loss(self, outputs, batch):
        whole = super().loss(outputs, batch)
        return StepLoss(self.share * whole.total, whole.figures)


def task(document):
    return Half(SftTask(), metrics_of(document), share=document.task.half.share)
"""
JOB = """
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {name: bird}
spec:
  model: {uri: "hf://org/model"}
  datasets: [{uri: "pvc://claim/rows.jsonl"}]
  tuner: {lora: {rank: 4}}
  task: TASK
"""
LOOK = """
from unittest.mock import MagicMock
from swiftlet.api.schema.reference import render_reference
from swiftlet.kinds.attempts.told_document import told_document
from swiftlet.wire.documents import TrainDocument

objects = json.loads(said("plan", "half.yaml", "-o", "json"))["resources"][0]["objects"]
said("crds", "--output", "crds")
document = json.dumps(told_document(objects))
page = render_reference()["tasks/half.md"]
seen = {
    "document": document, "page": page, "agents": said("plan", "agents.yaml"), "two": said("plan", "two.yaml"),
    "preferring": said("plan", "preferring.yaml"), "crd": Path("crds/swiftlet.dev_finetunejobs.yaml").read_text(),
}
import torch
from swiftlet_trainer.tasks.registry import rows_of, task_of
from swiftlet_trainer.training.heads.tokens import TokenScores
parsed = TrainDocument.model_validate_json(document)
found = task_of(parsed)
scores = TokenScores.__new__(TokenScores)
object.__setattr__(scores, "logprob", torch.tensor([-1.0, -3.0]))
object.__setattr__(scores, "weight", None)
seen["rows"] = type(rows_of(parsed, MagicMock(), MagicMock())).__name__
seen["loss"] = found.loss(scores, {}).total.item()
print(json.dumps(seen))
"""


def add_task(root: Path) -> None:
    """Add the task to the sources below `root`."""
    (root / "swiftlet/api/v1alpha1/tasks/half.py").write_text(BLOCK)
    own = root / "swiftlet_trainer/tasks/half"
    own.mkdir()
    for name, text in {"__init__": '"""Halves."""', "rows": ROWS, "task": LOSS}.items():
        (own / f"{name}.py").write_text(text)
    registry = root / "swiftlet/api/v1alpha1/tasks/__init__.py"
    last = '    "seq_cls": SeqClsTask,\n'
    listed = registry.read_text().replace(last, f'{last}    "half": HalfTask,\n')
    first = "from swiftlet.api.v1alpha1.tasks.kto"
    listed = listed.replace(first, f"from swiftlet.api.v1alpha1.tasks.half import HalfTask\n{first}")
    field = "    seq_cls: SeqClsTask | None"
    listed = listed.replace(field, f'    half: HalfTask | None = Field(None, description="Halves.")\n{field}')
    registry.write_text(listed)


def test_a_task_is_a_block_a_folder_and_its_field(tmp_path: Path) -> None:
    sources = SourceCopy(tmp_path)
    add_task(sources.root)
    own = {f"swiftlet_trainer/tasks/half/{part}.py" for part in ("__init__", "rows", "task")}
    assert sources.touched() == {"swiftlet/api/v1alpha1/tasks/__init__.py", "swiftlet/api/v1alpha1/tasks/half.py", *own}
    agents = "{half: {}}\n  template: {agentTemplate: hermes}"
    for name, task in {"half": "{half: {share: 0.25}}", "agents": agents, "two": "{half: {}, dpo: {}}"}.items():
        (tmp_path / f"{name}.yaml").write_text(JOB.replace("TASK", task))
    preferring = JOB.replace("TASK", "{half: {}}").replace('rows.jsonl"', 'rows.jsonl", format: preference')
    (tmp_path / "preferring.yaml").write_text(preferring)
    seen = sources.look(LOOK)

    assert json.loads(seen["document"])["task"] == {"half": {"share": 0.25}}
    assert seen["rows"] == "TextRows"
    assert seen["loss"] == 0.25 * 4, "its own loss"
    assert "It learns the next token of texts, by half." in seen["page"] and "Rows: texts" in seen["page"]
    assert "reranker, half learn from texts; leave it out" in seen["agents"]
    assert "set at most one of sft" in seen["two"] and "seqCls, half" in seen["two"]
    assert "format preference is what dpo" in seen["preferring"]
    assert "description: Halves." in seen["crd"]
