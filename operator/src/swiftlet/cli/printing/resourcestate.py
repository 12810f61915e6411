"""One resource in a few words and numbers, for the live display and for plain lines."""

from dataclasses import dataclass
from typing import Any

from swiftlet.api import KINDS
from swiftlet.cli.printing.figures import figure, one_line, seconds
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.conditions.summary import settled

Object = dict[str, Any]


@dataclass(frozen=True)
class ResourceState:
    """A resource now. `end`: succeeded, failed, or None while it goes on."""

    name: str
    """kind/name."""
    word: str
    """Reason of the summary condition: Training, WaitingForFineTuneJob, Trained ..."""
    message: str
    """What it waits for, what it is doing, how it ended."""
    end: str | None
    step: int | None = None
    total: int | None = None
    percent: int | None = None
    figures: tuple[str, ...] = ()
    """loss, tokens/s and ETA, as text."""

    @property
    def line(self) -> str:
        """Progress in one line; the message while there is no figure."""
        if self.step is not None and self.total:
            parts = (f"step {self.step}/{self.total} ({100 * self.step // self.total}%)", *self.figures)
        elif self.percent is not None:
            parts = (f"{self.percent}%", *self.figures)
        else:
            parts = ()
        return "  ".join(parts) or self.message


def state_of(item: Object) -> ResourceState:
    """The state of a resource of ours."""
    name = f"{item['kind'].lower()}/{item['metadata']['name']}"
    condition = find_condition(item, KINDS[item["kind"]].summary_condition) or {}
    word, said = (
        condition.get("reason") or "Pending",
        one_line(condition.get("message") or "has not been looked at yet"),
    )
    end = settled(item)
    if item["kind"] not in KINDS or "status" not in KINDS[item["kind"]].model_fields:
        return ResourceState(name, "Read", "", end)
    progress = (item.get("status") or {}).get("progress")
    if end or not progress:
        return ResourceState(name, word, said, end)
    if isinstance(progress, str):
        return ResourceState(name, word, progress, end)
    return ResourceState(
        name,
        word,
        progress.get("message") or said,
        end,
        progress.get("step") if not progress.get("message") else None,
        progress.get("totalSteps"),
        # 0 % before the first step says nothing that the message does not say better.
        (progress.get("percent") or None) if not progress.get("message") else None,
        _figures(progress),
    )


def _by_channel(losses: Object) -> str:
    return ", ".join(f"{name} {figure(loss)}" for name, loss in losses.items())


def _figures(progress: Object) -> tuple[str, ...]:
    shown = (
        f"loss {figure(progress['loss'])}" if progress.get("loss") is not None else "",
        f"eval loss {figure(progress['evalLoss'])}" if progress.get("evalLoss") is not None else "",
        f"loss of {_by_channel(progress['channelLosses'])}" if progress.get("channelLosses") else "",
        f"token accuracy {float(progress['meanTokenAccuracy']):.0%}" if progress.get("meanTokenAccuracy") else "",
        f"accuracy {float(progress['accuracy']):.0%}" if progress.get("accuracy") else "",
        f"pairs told apart {float(progress['rewardsAccuracies']):.0%}" if progress.get("rewardsAccuracies") else "",
        f"{float(progress['tokensPerSecond']):.0f} tokens/s" if progress.get("tokensPerSecond") is not None else "",
        f"ETA {seconds(progress['etaSeconds'])}" if progress.get("etaSeconds") is not None else "",
    )
    return tuple(text for text in shown if text)
