"""Fold the progress stream of a resource's pods into one document, the same way for every engine."""

from collections.abc import Iterable
from typing import Any

from swiftlet_0_1_0.api.progress import Progress

FIGURES = (
    "step",
    "totalSteps",
    "percent",
    "epoch",
    "loss",
    "evalLoss",
    "learningRate",
    "gradNorm",
    "entropy",
    "meanTokenAccuracy",
    "tokensPerSecond",
    "etaSeconds",
)

TAKEN: dict[str, tuple[str, ...]] = {
    "progress": FIGURES,
    "phase": ("message",),
    "dataset": ("dataset",),
    "serving": ("engine", "reason", "message"),
    "checkpoint": (),
    "compile": ("compilation",),
}
"""The fields that an event of each type speaks about; its other fields are defaults and say nothing."""


def merge_event(merged: dict[str, Any] | None, event: dict[str, Any]) -> dict[str, Any]:
    """`merged` after one more ProgressEvent document (camelCase). Neither argument is changed.

    An event overwrites only the fields that its type speaks about, and a figure ends the phase that was announced
    before it. A checkpoint's step is kept as `checkpointStep`.
    """
    kind = event.get("type", "progress")
    result = dict(merged or {})
    result.update({name: event[name] for name in TAKEN[kind] if event.get(name) is not None})
    if kind == "progress":
        result.pop("message", None)
        if event.get("percent") == 100 and "step" not in event and result.get("totalSteps"):
            # The last word of transformers' callback has no step.
            result["step"] = result["totalSteps"]
    if kind == "checkpoint":
        result["checkpointStep"] = event["step"]
    return result | {"time": event["time"], "type": kind}


def merge(events: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """All events in the order of the stream as one document, or None when there are none."""
    merged: dict[str, Any] | None = None
    for event in events:
        merged = merge_event(merged, event)
    return merged


def reported(old: Progress | None, merged: dict[str, Any] | None) -> Progress | None:
    """The figures of a status, from what it said before and what pods have reported; None when they said nothing.

    An engine that has restarted knows only the reports since then, so what was written before still stands; but a
    message is about the moment.
    """
    if merged is None:
        return None
    names = {field.alias or name for name, field in Progress.model_fields.items()}
    before = old.model_copy(update={"message": None}).document() if old else {}
    return Progress.model_validate(before | {key: value for key, value in merged.items() if key in names})
