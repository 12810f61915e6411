"""Pre-training, continued: the next token of texts."""

from typing import ClassVar

from swiftlet.api.base import ApiModel
from swiftlet.api.tasks.channels import EnableChannelLoss


class PretrainTask(ApiModel):
    """Every token of texts is learnt, and the end of each. Texts over template.maxLength are split into pieces; set
    template.packing to fill sequences with several."""

    learns: ClassVar[str] = "the next token of texts, and where they end"

    enable_channel_loss: EnableChannelLoss = None
