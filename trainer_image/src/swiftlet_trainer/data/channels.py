"""Rows told apart by where they are from, so that what is lost on each kind is known."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from swiftlet.api.v1alpha1.tasks.channels import LONGEST_CHANNEL, MOST_CHANNELS

from swiftlet_trainer.data.contents import text_of
from swiftlet_trainer.data.examples import Example
from swiftlet_trainer.data.formats import FORMATS, Format, RowView
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.shown import shown


def _channelled(base: Format[Example]) -> Format[Example]:
    def convert(view: RowView) -> Example:
        return replace(base.convert(view), channel=_channel(view))

    return Format(base.name, {**base.columns, "channel": ("channel",)}, base.required, convert)


def _channel(view: RowView) -> str | None:
    """The row's own, by its name or number."""
    value, where = view.get("channel"), view.names["channel"][0]
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise RowError(f"{where} must be text, this is {shown(value)}")
    name = text_of(value, where, view.book).strip()
    if not _is_name(name):
        raise RowError(
            f"{where} is {shown(name)}; a name has {LONGEST_CHANNEL} bytes at most, and no control characters"
        )
    return name or None


CHANNELLED: dict[str, Format[Example]] = {name: _channelled(one) for name, one in FORMATS.items()}
"""What tasks read that tell the losses of channels apart."""


@dataclass
class Channels:
    """Those that rows are of."""

    names: list[str] = field(default_factory=list)
    """In the order in which they were met."""

    def number(self, name: str) -> int:
        """The place of a channel among the names. Raises RowError where there are too many."""
        if name not in self.names:
            if len(self.names) == MOST_CHANNELS:
                raise RowError(
                    f"channel {name!r} is one more than the {MOST_CHANNELS} that are told apart; give rows like it the "
                    "name of another, or set enableChannelLoss of the task to false"
                )
            self.names.append(name)
        return self.names.index(name)


def dataset_channels(uris: Sequence[str]) -> list[str]:
    """The channel of the rows of each data set that say none: the name of its file, with as many folders before it as
    tell it from the others', or its number where that is no name of a channel."""
    parts = [uri.split("/") for uri in uris]
    names = list(uris)
    for count in range(max(map(len, parts), default=0), 0, -1):
        shorter = ["/".join([*one[-count:-1], one[-1].rsplit(".", 1)[0]]) for one in parts]
        if len(set(shorter)) < len(set(uris)):
            break
        names = shorter
    return [name if _is_name(name) else f"datasets[{uris.index(uri)}]" for uri, name in zip(uris, names, strict=True)]


def _is_name(text: str) -> bool:
    return text.isprintable() and len(text.encode()) <= LONGEST_CHANNEL
