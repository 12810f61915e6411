"""Fold the progress stream of a resource's pods into one document, the same way for every engine."""

from collections.abc import Iterable
from typing import Any

from swiftlet.api.v1alpha1.progress import Progress

FIGURES = (
    "step",
    "totalSteps",
    "percent",
    "epoch",
    "loss",
    "evalLoss",
    "channelLosses",
    "evalChannelLosses",
    "learningRate",
    "gradNorm",
    "entropy",
    "meanTokenAccuracy",
    "accuracy",
    "evalAccuracy",
    "rewardsChosen",
    "rewardsRejected",
    "rewardsMargins",
    "rewardsAccuracies",
    "kl",
    "evalRewardsMargins",
    "evalRewardsAccuracies",
    "tokensPerSecond",
    "mfu",
    "etaSeconds",
)

OF_ENGINE = ("engine", "reason", "quantization", "task")

TAKEN: dict[str, tuple[str, ...]] = {
    "progress": FIGURES,
    "phase": ("message",),
    "dataset": ("dataset",),
    "serving": (*OF_ENGINE, "message"),
    "checkpoint": (),
    "compile": ("compilation",),
    "tracking": (),
}
"""The fields that an event of each type speaks about; its other fields are defaults and say nothing."""

MOST_WITHOUT_RESULT = 99
"""Percent that is believed of a run that counts no steps."""


def merge_event(merged: dict[str, Any] | None, event: dict[str, Any]) -> dict[str, Any]:
    """`merged` after one more ProgressEvent document (camelCase). Neither argument is changed.

    An event overwrites only the fields that its type speaks about, and a figure ends the phase that was announced
    before it. A checkpoint's step is kept as `checkpointStep`, what is said of a tracker under its name in `tracking`.
    A type that only a later release has says nothing here.
    """
    kind = event.get("type", "progress")
    if kind not in TAKEN:
        return dict(merged or {})
    result = dict(merged or {})
    taken = {name: event[name] for name in TAKEN[kind] if event.get(name) is not None}
    if kind == "serving":  # of another engine, or of other weights, what was said before is no longer so
        result = {name: value for name, value in result.items() if name not in OF_ENGINE}
    result.update(_believed(taken, result) if kind == "progress" else taken)
    if kind == "progress":
        result.pop("message", None)
    if kind == "checkpoint":
        result["checkpointStep"] = event["step"]
    if kind == "tracking" and (said := event.get("tracking")):
        result["tracking"] = {**result.get("tracking", {}), said["tracker"]: said}
    return result | {"time": event["time"], "type": kind}


def _believed(figures: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The figures without a share and a rest that no step bears out.

    transformers' callback says 100 % and 0 seconds when training is over, also when it was only told to stop. Whether
    a run is done, its result says; where steps are counted, they are the share.
    """
    if "step" in figures:
        return figures
    if known.get("step") is not None and known.get("totalSteps"):
        return {name: value for name, value in figures.items() if name not in ("percent", "etaSeconds")}
    if figures.get("percent") == 100:
        return {**figures, "percent": MOST_WITHOUT_RESULT, "etaSeconds": None}
    return figures


def merge(events: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """All events in the order of the stream as one document, or None when there are none."""
    merged: dict[str, Any] | None = None
    for event in events:
        merged = merge_event(merged, event)
    return merged


def at_rest(progress: Progress | None) -> Progress | None:
    """The figures of a run of which no pod is at work: how long it would still take is not known."""
    return progress.model_copy(update={"eta_seconds": None}) if progress else None


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
