"""The page of a training run."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

REPORT_FILE = "report/report.html"
PARAMETERS = ("tuner", "training", "template", "task", "datasets")
SMOOTHED_FROM = 20
"""Steps from which a curve gets a moving average beside it."""


def write_training_report(output_dir: Path) -> Path:
    """Write report/report.html below a run's folder, from what the run left there; returns the page's path.

    Read are events.jsonl (curves), result.json (rows, artifact, last figures) and artifact/manifest.json (parameters,
    versions) and data/*/prepared.json (rows that were left out); what is missing is left out of the page.
    """
    from swiftlet_trainer.report.page import render

    events, result = _events(output_dir / "events.jsonl"), _object(output_dir / "result.json")
    manifest = _object(output_dir / "artifact" / "manifest.json")
    artifact = result.get("artifact", {})
    page = render(
        "training.html.jinja",
        title=f"Training {manifest.get('name', output_dir.name)}",
        subtitle=_subtitle(artifact, manifest),
        figures=_figures(events, result.get("dataset", {})),
        plots=_plots(events),
        tables=[table for table in _tables(result, manifest, _notes(output_dir, manifest)) if table["rows"]],
    )
    path = output_dir / REPORT_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def _events(file: Path) -> list[dict[str, Any]]:
    """The steps in order, each once: a resumed run's later line replaces the earlier one. Broken lines are passed over,
    since a kill may cut the last one short."""
    steps: dict[int, dict[str, Any]] = {}
    if file.is_file():
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                event = json.loads(line)
            except json.JSONDecodeError:
                continue
            if event.get("loss") is not None:
                steps[int(event["step"])] = event
    return [steps[step] for step in sorted(steps)]


def _object(file: Path) -> dict[str, Any]:
    content = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return content if isinstance(content, dict) else {}


def _notes(output_dir: Path, manifest: Mapping[str, Any]) -> list[str]:
    """What the preparation told of single rows of the data that was trained on."""
    found = sorted(output_dir.glob("data/*/prepared.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    own = [about for about in map(_object, found) if about.get("digest") == manifest.get("dataDigest")]
    return list(own[0].get("notes", [])) if own else []


def _subtitle(artifact: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    base = manifest.get("baseModel", {}).get("uri", "")
    kind = {"adapter": "An adapter for ", "model": "All weights of "}.get(artifact.get("type", ""), "")
    return f"{kind}{base}"


def _figures(events: list[dict[str, Any]], dataset: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The numbers at the top of the page."""
    if not events:
        return []
    last = events[-1]
    figures = [("Loss, first and last step", f"{float(events[0]['loss']):.2f} → {float(last['loss']):.2f}")]
    held_out = [event["evalLoss"] for event in events if event.get("evalLoss")]
    if held_out:
        figures.append(("Loss on held-out rows", f"{float(held_out[-1]):.3f}"))
    figures += [("Steps", str(last["step"])), ("Passes over the data", last.get("epoch", "-"))]
    if last.get("tokensPerSecond"):
        figures.append(("Tokens/s", f"{float(last['tokensPerSecond']):,.0f}"))
    figures.append(("From first to last step", _duration(events)))
    if dataset.get("used"):
        figures.append(("Rows", f"{dataset['used']:,}"))
    return figures


def _duration(events: list[dict[str, Any]]) -> str:
    begin, end = (datetime.fromisoformat(event["time"]) for event in (events[0], events[-1]))
    seconds = round((end - begin).total_seconds())
    hours, rest = divmod(seconds, 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s" if rest >= 60 else f"{rest} s"


def _plots(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The loss and every other figure over steps."""
    if not events:
        return []
    from swiftlet_trainer.report.page import safe
    from swiftlet_trainer.report.plots import Curve, curves

    loss, held_out = _curve(events, "loss", "training rows"), _curve(events, "evalLoss", "held-out rows")
    if held_out is None:
        smooth = Curve("mean of 10 steps", loss.steps, _moving_mean(loss.values)) if loss else None
        lines = [smooth, loss] if loss and smooth and len(loss.steps) >= SMOOTHED_FROM else [loss]
    else:
        lines = [loss, held_out]
    unit = "loss" if any("rewardsMargins" in event for event in events) else "loss (nats/token)"
    drawn = [("Loss", lines, unit, False), *_by_channel(events, unit)]
    drawn += [
        (
            title,
            [_curve(events, key, title), _curve(events, f"eval{key[:1].upper()}{key[1:]}", "held-out rows")],
            unit,
            True,
        )
        for title, key, unit in _SINGLE_CURVES
    ]
    found = [(title, [line for line in lines if line], unit, zero) for title, lines, unit, zero in drawn]
    return [{"title": title, "svg": safe(curves(lines, unit, zero))} for title, lines, unit, zero in found if lines]


def _by_channel(events: list[dict[str, Any]], unit: str) -> Iterable[tuple[str, list[Any], str, bool]]:
    """The loss of each channel, of training rows and of those held out."""
    for title, key in (("Loss by channel", "channelLosses"), ("Loss by channel, held-out rows", "evalChannelLosses")):
        names = dict.fromkeys(name for event in events for name in event.get(key) or ())
        told = [(event["step"], event.get(key) or {}) for event in events]
        parts = {name: [{"step": step, "loss": losses.get(name)} for step, losses in told] for name in names}
        yield title, [_curve(part, "loss", name) for name, part in parts.items()], unit, False


_SINGLE_CURVES = (
    ("Learning rate", "learningRate", "learning rate"),
    ("Gradient norm", "gradNorm", "2-norm"),
    ("Token accuracy", "meanTokenAccuracy", "share"),
    ("Texts that got their class", "accuracy", "share"),
    ("Margin of the chosen answers' rewards", "rewardsMargins", "reward"),
    ("Pairs whose chosen answer has the higher reward", "rewardsAccuracies", "share"),
    ("Divergence from the reference, by answers to other prompts", "kl", "nats"),
    ("Entropy", "entropy", "nats/token"),
    ("Speed", "tokensPerSecond", "tokens/s"),
)
"""Title, figure and unit; those that no step has are left out."""


def _curve(events: list[dict[str, Any]], key: str, label: str) -> Any:
    """The figure `key` over steps; None when no step has it."""
    from swiftlet_trainer.report.plots import Curve

    points = [(int(event["step"]), float(event[key])) for event in events if event.get(key) is not None]
    return Curve(label, [step for step, _ in points], [value for _, value in points]) if points else None


def _moving_mean(values: list[float], width: int = 10) -> list[float]:
    """The mean of each value and the up to `width` - 1 before it."""
    return [sum(part) / len(part) for i in range(len(values)) if (part := values[max(0, i + 1 - width) : i + 1])]


def _tables(result: Mapping[str, Any], manifest: Mapping[str, Any], notes: Iterable[str]) -> Iterable[dict[str, Any]]:
    dataset = dict(result.get("dataset", {}))
    dropped = dataset.pop("dropped", {})
    rows = [(_words(name), f"{value:,}") for name, value in dataset.items() if isinstance(value, int)]
    rows += [(f"Dropped: {reason}", f"{count:,}") for reason, count in dropped.items()]
    yield {"title": "Data", "rows": rows}
    parameters = {name: manifest.get("parameters", {}).get(name) for name in PARAMETERS}
    yield {"title": "Rows left out, and keys that were not read", "rows": [note.split(": ", 1) for note in notes]}
    yield {"title": "Parameters", "rows": list(_flat({k: v for k, v in parameters.items() if v is not None}))}
    artifact = [(_words(name), str(value)) for name, value in result.get("artifact", {}).items()]
    base = manifest.get("baseModel", {})
    artifact += [("Base architecture", base["architecture"])] if base.get("architecture") else []
    artifact += [("Data digest", manifest["dataDigest"])] if manifest.get("dataDigest") else []
    yield {"title": "Artifact", "rows": artifact}
    yield {"title": "Software", "rows": sorted(manifest.get("packages", {}).items())}


def _flat(value: Any, path: str = "") -> Iterable[tuple[str, str]]:
    """The leaves of a JSON value with their paths, as documents write them: `training.learningRate`."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for number, item in enumerate(value):
            yield from _flat(item, f"{path}[{number}]")
    else:
        yield path, ", ".join(map(str, value)) if isinstance(value, list) else "default" if value == {} else str(value)


def _words(name: str) -> str:
    """`baseDigest` as `Base digest`."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return spaced[:1].upper() + spaced[1:]
