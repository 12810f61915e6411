"""Supervised fine-tuning."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swiftlet.api.base import Rule
from swiftlet.api.v1alpha1.tasks.block import TaskBlock
from swiftlet.api.v1alpha1.tasks.channels import EnableChannelLoss


class SftTask(TaskBlock):
    """Supervised fine-tuning. lossType is TRL's."""

    learns: ClassVar[str] = "the next token of the assistant's turns, or of every token"

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.labelSmoothing) || self.labelSmoothing == 0.0 || !has(self.lossType) || self.lossType == 'nll'",
            "labelSmoothing is of lossType nll; leave it out",
            "labelSmoothing",
        ),
    )

    assistant_only_loss: bool = Field(
        True, description="Learn assistant turns (and completions) only; false learns every token of the row."
    )
    loss_type: Literal["nll", "dft"] | None = Field(
        None,
        description="nll, -log p of a token, when absent; dft: times p, which has no gradient (arXiv:2508.05629).",
    )
    label_smoothing: Annotated[float, Field(ge=0, le=0.99)] | None = Field(
        None,
        description="Share of each label that is spread over the whole vocabulary (arXiv:1512.00567); 0 when absent.",
    )
    enable_channel_loss: EnableChannelLoss = None
