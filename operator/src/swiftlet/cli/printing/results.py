"""What a run ends with: scores, gates, reports, answers and where the time went, as plain tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from swiftlet.cli.places import artifact_folder, reports
from swiftlet.cli.printing.figures import bracketed, figure, seconds, signed
from swiftlet.cli.printing.loading import loading_lines
from swiftlet.cli.printing.table import render
from swiftlet.cli.printing.timetable import Span
from swiftlet.wire.significance import judged

Object = dict[str, Any]


SCORES = ("Suite", "Metric", "Before", "After", "Change", "95% interval", "Verdict", "Rows")


def evaluation(run: Object) -> str:
    """Scores before and after, and the gates; empty while there are none."""
    rows = scores(run)
    if not rows:
        return ""
    found = (run.get("status") or {}).get("gates") or []
    gates = [f"  {'passed' if gate['passed'] else 'FAILED'}  {gate['message']}" for gate in found]
    title = f"Evaluation of evalrun/{run['metadata']['name']} (before: baseline, after: target)"
    return "\n".join([title, render(SCORES, rows, indent="  "), *(["", "Gates", *gates] if gates else [])])


def scores(run: Object) -> list[list[str]]:
    """Cells below SCORES, a row for each metric of the target; empty while there are none."""
    status = run.get("status") or {}
    results = status.get("results") or []
    compared = {(one["suite"], one["metric"]): one for one in status.get("comparison") or []}
    baselines = {(one["suite"], one["metric"]): one for one in results if one["subject"] == "baseline"}
    rows = []
    for one in results:
        key = one["suite"], one["metric"]
        if one["subject"] != "target":
            continue
        before = baselines.get(key)
        rows.append(
            [
                one["suite"],
                one["metric"],
                _with_error(before) if before else "",
                _with_error(one),
                *_change(one["n"], compared.get(key)),
                str(one["n"]),
            ]
        )
    return rows


def dropped_rows(item: Object) -> str:
    """Rows of a FineTuneJob that were left out, by reason; empty when all were used."""
    counts = (item.get("status") or {}).get("dataset") or {}
    dropped = counts.get("dropped") or {}
    if not dropped:
        return ""
    reasons = ", ".join(f"{reason} {count}" for reason, count in dropped.items())
    name = f"{item['kind'].lower()}/{item['metadata']['name']}"
    return f"{name}: {counts['read']} rows read, {counts['used']} used, {sum(dropped.values())} dropped: {reasons}"


def _change(rows: int, difference: Object | None) -> tuple[str, str, str]:
    if difference is None:
        return "", "", ""
    delta, low, high = (float(difference[name]) for name in ("delta", "ciLow", "ciHigh"))
    interval, verdict = judged(rows, delta, low, high)
    return signed(delta), bracketed(interval), verdict


def _with_error(result: Object) -> str:
    return figure(result["value"]) + (f" ±{figure(result['stderr'])}" if result.get("stderr") else "")


def report_lines(items: Sequence[Object], state: Path) -> str:
    """Where the pages lie that a person can open; empty when there are none."""
    rows = [
        [f"{item['kind'].lower()}/{item['metadata']['name']}", str(path)]
        for item in items
        for path in reports(state, item)
    ]
    return "Reports\n" + render(["", ""], rows, header=False, indent="  ") if rows else ""


def artifact_lines(items: Sequence[Object], state: Path, mirror: Path) -> str:
    """Where the artifacts lie on this machine, each with the Python that loads it; empty when there are none."""
    lines = []
    for item in items:
        if folder := artifact_folder(state, item):
            lines.append(f"  finetunejob/{item['metadata']['name']}   {folder}")
            lines += [f"    {line}" for line in loading_lines(item, state, mirror)]
    return "\n".join(["Artifacts", *lines]) if lines else ""


def answers(question: str, found: Sequence[tuple[str, str]]) -> str:
    """The same question, and each served model's answer."""
    width = max(len(name) for name, _ in found)
    lines = [f"  {name:<{width}}   {' '.join(answer.split())}" for name, answer in found]
    return "\n".join([f"Asked: {question}", *lines])


def times(spans: Sequence[Span], busy: float, whole: float) -> str:
    """Where the time went, in seconds of work by resource. busy: seconds in which any pod worked, of `whole`."""
    rows = [[span.resource, span.what, seconds(span.seconds), f"{100 * span.seconds / whole:.0f}%"] for span in spans]
    rows.append(["", "everything else", seconds(max(whole - busy, 0)), f"{100 * max(whole - busy, 0) / whole:.0f}%"])
    rows.append(["", "in all", seconds(whole), ""])
    return "Where the time went\n" + render(["Resource", "What", "Time", "Share"], rows, indent="  ")
