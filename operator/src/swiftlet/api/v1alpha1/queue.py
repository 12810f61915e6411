"""The queue of Kueue in which a resource waits for quota before its pods are made."""

from typing import Annotated

from pydantic import Field

from swiftlet.api.base import ApiModel
from swiftlet.api.names import SUBDOMAIN_PATTERN

QueueName = Annotated[str, Field(pattern=SUBDOMAIN_PATTERN, min_length=1, max_length=63)]
"""A name that Kueue takes as the value of a label."""


class Queue(ApiModel):
    """Where to wait, and before whom."""

    name: QueueName = Field(description="LocalQueue of Kueue in the namespace.")
    priority_class: QueueName | None = Field(
        None,
        description="WorkloadPriorityClass of Kueue: who goes first, and who is stopped for whom. It is no priority of"
        " pods.",
    )
