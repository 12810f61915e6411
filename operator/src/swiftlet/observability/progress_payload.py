"""The body of a progress report as ProgressEvent documents: our own list of them, or what transformers sends.

Pods are not trusted: whatever is taken from here ends in a status, so every text and every number is bounded.
"""

import json
import math
from typing import Any, NamedTuple

from pydantic import ValidationError

from swiftlet.kinds.conditions.timestamps import from_text
from swiftlet.kinds.frame.progress import TAKEN
from swiftlet.wire.messages import PROGRESS_EVENTS_LIMIT, ProgressEvent
from swiftlet.wire.reading import read

LONGEST_TEXT = 1024
"""Characters of a message, figure or reason."""
LARGEST_NUMBER = 2**53
"""Integers that every JSON reader holds exactly."""
MOST_PROBLEMS = 10
"""Problems that an answer lists."""
MOST_REASONS = 64
"""Entries of dataset.dropped."""

METRICS = {
    "loss": ("loss", "{:.4f}"),
    "eval_loss": ("evalLoss", "{:.4f}"),
    "learning_rate": ("learningRate", "{:.3g}"),
    "grad_norm": ("gradNorm", "{:.3g}"),
    "entropy": ("entropy", "{:.4f}"),
    "mean_token_accuracy": ("meanTokenAccuracy", "{:.4f}"),
    "accuracy": ("accuracy", "{:.4f}"),
    "eval_accuracy": ("evalAccuracy", "{:.4f}"),
    "rewards/chosen": ("rewardsChosen", "{:.4f}"),
    "rewards/rejected": ("rewardsRejected", "{:.4f}"),
    "rewards/margins": ("rewardsMargins", "{:.4f}"),
    "rewards/accuracies": ("rewardsAccuracies", "{:.4f}"),
    "kl": ("kl", "{:.4f}"),
    "eval_rewards/margins": ("evalRewardsMargins", "{:.4f}"),
    "eval_rewards/accuracies": ("evalRewardsAccuracies", "{:.4f}"),
    "epoch": ("epoch", "{:.2f}"),
    "current_epoch": ("epoch", "{:.2f}"),
    "train_tokens_per_second": ("tokensPerSecond", "{:.1f}"),
    "tokens_per_second": ("tokensPerSecond", "{:.1f}"),
    "mfu": ("mfu", "{:.4f}"),
}
"""Metrics of transformers' Trainer and TRL's, and the figures of ours that they are, with their formats."""
COUNTS = {"current_step": "step", "total_steps": "totalSteps"}


class MalformedReportError(ValueError):
    """The body is not a report; the message names the field, the value and the rule."""


class Report(NamedTuple):
    """Events to take up, and what was left out of the report."""

    events: list[dict[str, Any]]
    left_out: list[str]


def report_of(body: bytes, now: str) -> Report:
    """The events of a report. `now`: RFC 3339, for a report that has no time.

    Fields and types of events that only a later release knows are left out, and an event that is wrong does not take
    the others along. Raises MalformedReportError when nothing of the report can be taken.
    """
    try:
        said = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedReportError(f"the body is not JSON: {error}") from None
    if isinstance(said, list):
        return _own(said)
    if isinstance(said, dict) and isinstance(said.get("trainerStatus"), dict):
        return Report([_of_transformers(said["trainerStatus"], now)], [])
    raise MalformedReportError(
        "the body must be a JSON array of progress events, or an object with trainerStatus as transformers sends it"
    )


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _own(said: list[Any]) -> Report:
    if len(said) > PROGRESS_EVENTS_LIMIT:
        raise MalformedReportError(
            f"{len(said)} events: at most {PROGRESS_EVENTS_LIMIT} in one report; post the rest apart"
        )
    problems: list[str] = []
    left_out: list[str] = []
    events = []
    for index, document in enumerate(said):
        if _is_of_a_later_release(document):
            left_out.append(f"[{index}].type: {str(document['type'])[:60]!r} is unknown")
            continue
        try:
            found = read(ProgressEvent, document)
        except ValidationError as error:
            problems += [_place(index, detail) for detail in error.errors()]
            continue
        left_out += [f"[{index}].{field}: unknown" for field in found.ignored]
        # Only what was said: a default is no figure.
        event = found.value.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
        wrong = [*_excesses(event), *_timeless(found.value.time)]
        if found.value.type == "checkpoint" and "step" not in event:
            wrong.append("step: a checkpoint has a step; set it")
        problems += [f"[{index}].{problem}" for problem in wrong]
        events += [] if wrong else [event]
    if problems and not events:
        raise MalformedReportError("; ".join(problems[:MOST_PROBLEMS]))
    return Report(events, [*problems, *left_out][:MOST_PROBLEMS])


def _is_of_a_later_release(document: Any) -> bool:
    """Whether an event is of a type that this release does not know."""
    return isinstance(document, dict) and isinstance(document.get("type"), str) and document["type"] not in TAKEN


def _timeless(text: str) -> list[str]:
    try:
        from_text(text)
    except ValueError:
        return [f"time: {text[:60]!r} is not RFC 3339; write 2026-01-31T12:00:00Z"]
    return []


def _place(index: int, detail: Any) -> str:
    path = ".".join(str(part) for part in detail["loc"])
    return f"[{index}].{path}: {detail['msg']}" if path else f"[{index}]: {detail['msg']}"


def _excesses(document: dict[str, Any], prefix: str = "") -> list[str]:
    """What is too long or too large, by its path."""
    found: list[str] = []
    if len(document) > MOST_REASONS:
        found.append(f"{prefix.rstrip('.')}: more than {MOST_REASONS} entries")
    for name, value in document.items():
        if isinstance(value, dict):
            found += _excesses(value, f"{prefix}{name}.")
        if len(name) > LONGEST_TEXT or (isinstance(value, str) and len(value) > LONGEST_TEXT):
            found.append(f"{prefix}{name[:60]}: longer than {LONGEST_TEXT} characters")
        if isinstance(value, int) and not 0 <= value <= LARGEST_NUMBER:
            found.append(f"{prefix}{name}: must be from 0 to {LARGEST_NUMBER}")
    return found


def _of_transformers(said: dict[str, Any], now: str) -> dict[str, Any]:
    """What transformers' KubeflowCallback says. Metrics that we do not know, and other fields, are its own business.

    Source: transformers 5.17, integrations/integration_utils.py.
    """
    event: dict[str, Any] = {"time": now, "type": "progress"}
    percent = _count(said.get("progressPercentage"), "progressPercentage")
    if percent is not None:
        event["percent"] = min(percent, 100)
    left = _count(said.get("estimatedRemainingSeconds"), "estimatedRemainingSeconds")
    if left is not None:
        event["etaSeconds"] = left
    metrics = said.get("metrics") or []
    if not isinstance(metrics, list):
        raise MalformedReportError("trainerStatus.metrics: must be an array of {name, value}")
    for index, metric in enumerate(metrics[:PROGRESS_EVENTS_LIMIT]):
        if not isinstance(metric, dict) or not isinstance(metric.get("name"), str) or "value" not in metric:
            raise MalformedReportError(f"trainerStatus.metrics[{index}]: must be an object with name and value")
        event |= _metric(metric["name"], metric["value"], f"trainerStatus.metrics[{index}].value")
    return event


def _metric(name: str, value: Any, field: str) -> dict[str, Any]:
    if name in COUNTS:
        count = _count(value, field)
        return {COUNTS[name]: count} if count is not None else {}
    if name not in METRICS:
        return {}
    figure, pattern = METRICS[name]
    return {figure: pattern.format(_number(value, field))}


def _number(value: Any, field: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise MalformedReportError(f"{field}: {str(value)[:60]!r} is not a number") from None


def _count(value: Any, field: str) -> int | None:
    if value is None:
        return None
    number = _number(value, field)
    if not math.isfinite(number) or not 0 <= number <= LARGEST_NUMBER:
        raise MalformedReportError(f"{field}: {str(value)[:60]} must be from 0 to {LARGEST_NUMBER}")
    return int(number)
