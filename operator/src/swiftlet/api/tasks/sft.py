"""Supervised fine-tuning."""

from pydantic import Field

from swiftlet.api.base import ApiModel


class SftTask(ApiModel):
    """Supervised fine-tuning."""

    assistant_only_loss: bool = Field(
        True, description="Learn assistant turns (and completions) only; false learns every token of the row."
    )
