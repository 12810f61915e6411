"""Supervised fine-tuning."""

from typing import ClassVar

from pydantic import Field

from swiftlet.api.base import ApiModel


class SftTask(ApiModel):
    """Supervised fine-tuning."""

    learns: ClassVar[str] = "the next token of the assistant's turns, or of every token"

    assistant_only_loss: bool = Field(
        True, description="Learn assistant turns (and completions) only; false learns every token of the row."
    )
