"""Pre-training, continued: the next token of texts."""

from typing import ClassVar

from swiftlet.api.base import Rule
from swiftlet.api.v1alpha1.tasks.block import TaskBlock
from swiftlet.api.v1alpha1.tasks.channels import EnableChannelLoss


class PretrainTask(TaskBlock):
    """Every token of texts is learnt, and the end of each. Texts over template.maxLength are split into pieces; set
    template.packing to fill sequences with several."""

    learns: ClassVar[str] = "the next token of texts, and where they end"
    formats: ClassVar[tuple[str, ...]] = ("text",)
    reads_texts: ClassVar[bool] = True
    job_rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.task) || !has(self.task.pretrain)"
            " || self.datasets.all(d, !has(d.format) || d.format in ['auto', 'text'])",
            "task pretrain learns from format text; use auto, or task sft for turns",
            "datasets",
        ),
    )

    enable_channel_loss: EnableChannelLoss = None
