"""Rows told apart by where they are from."""

from typing import Annotated

from pydantic import Field

MOST_CHANNELS = 16
"""Of a run: their losses are in its status, and in a pod's termination message."""
LONGEST_CHANNEL = 48
"""Bytes of a channel's name, in UTF-8."""

EnableChannelLoss = Annotated[
    bool | None,
    Field(
        description="Tell the loss of each channel beside that of all rows: what their column `channel` says, else the"
        f" name of their data set's file. At most {MOST_CHANNELS} channels. false when absent."
    ),
]
