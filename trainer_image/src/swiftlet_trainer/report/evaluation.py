"""The page of an evaluation."""

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel
from swiftlet.api.v1alpha1.evalrun import Comparison, Result
from swiftlet.wire.documents import EvaluateDocument, ResolvedSubject
from swiftlet.wire.significance import judged

from swiftlet_trainer.evaluate.questions import source_uri

REPORT_FILE = "report.html"
SHOWN_ROWS = 40
LOWER_IS_BETTER = {"perplexity", "mse", "mae", "hallu_rate"}
NO_SHARES = {"perplexity", "mse", "mae", "pearson", "spearman"}
WHAT = {
    "generation": ("Greedy answers; ✓ means that the first metric counts the answer.", "Prompt"),
    "perplexity": ("Perplexity of each row: exp of its mean negative log-likelihood per token.", "Text"),
    "multiple_choice": ("The choice with the highest log-likelihood per byte.", "Question"),
    "preference": ("The likeliest answer; ✓ means that it is the chosen one.", "Prompt"),
    "retrieval": ("The document that comes first; ✓ means that it is relevant.", "Query"),
    "regression": ("The figures that the text is given.", "Text"),
    "tool_calling": ("What the agent does; ✓ means that its calls are those that are due.", "Last said"),
    "classification": ("The class with the highest score; ✓ means that it is the text's.", "Text"),
}
SUBJECTS = ("baseline", "target")
"""In the order in which a reader meets them: before, after."""


def write_evaluation_report(folder: Path, document: EvaluateDocument) -> str:
    """Write report.html beside rows.jsonl and results.json, from those two files; returns its `sha256:` digest."""
    from swiftlet_trainer.report.page import render

    content = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    results = [Result.model_validate(one) for one in content["results"]]
    comparison = {(one["suite"], one["metric"]): Comparison.model_validate(one) for one in content["comparison"]}
    records = [json.loads(line) for line in (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    page = render(
        "evaluation.html.jinja",
        title=f"Evaluation {document.namespace}/{document.name}",
        subtitle=_subject(document.target),
        compared=document.baseline is not None,
        lines=_lines(results, comparison),
        plot=_plot(results),
        suites=[_suite_rows(suite.name, suite.document(), records) for suite in document.suites],
        facts=_facts(document),
        seed=document.seed,
    ).encode()
    (folder / REPORT_FILE).write_bytes(page)
    return f"sha256:{hashlib.sha256(page).hexdigest()}"


def _lines(results: list[Result], comparison: dict[tuple[str, str], Comparison]) -> list[dict[str, Any]]:
    """The table: one line per suite and metric."""
    found = {(one.suite, one.metric, one.subject): one for one in results}
    lines = []
    for one in results:
        if one.subject != "target":
            continue
        before, change = found.get((one.suite, one.metric, "baseline")), comparison.get((one.suite, one.metric))
        lower = one.metric in LOWER_IS_BETTER
        line = {"suite": one.suite, "metric": one.metric, "n": one.n, "lower_is_better": lower}
        line |= {"target": _short(one.value), "target_error": _short(one.stderr)}
        if before and change:
            line |= {"baseline": _short(before.value), "baseline_error": _short(before.stderr)}
            delta = float(change.delta)
            interval, verdict = judged(one.n, delta, float(change.ci_low), float(change.ci_high))
            line |= {"delta": _signed(delta), "verdict": verdict, "interval": "-", "colour": ""}
            if interval:
                line["interval"] = " to ".join(map(_signed, interval))
            if verdict == "clear":
                line["colour"] = "good" if (delta < 0) == lower else "bad"
        lines.append(line)
    return lines


def _plot(results: list[Result]) -> Any:
    from swiftlet_trainer.report.page import safe
    from swiftlet_trainer.report.plots import Bars, bar_panels

    panels: dict[tuple[str, str], Bars] = {}
    for subject in SUBJECTS:
        for one in results:
            if one.subject == subject:
                panel = panels.setdefault(
                    (one.suite, one.metric),
                    Bars(f"{one.metric} ({one.suite})", [], is_share=one.metric not in NO_SHARES),
                )
                panel.values.append((subject, float(one.value), float(one.stderr or 0)))
    return safe(bar_panels(list(panels.values())))


def _suite_rows(name: str, suite: dict[str, Any], records: list[dict[str, Any]]) -> dict[str, Any]:
    """The rows of a suite with what each subject made of them, side by side."""
    kind = next(kind for kind in WHAT if to_camel(kind) in suite)
    mine = [record for record in records if record["suite"] == name]
    subjects = [subject for subject in SUBJECTS if any(record["subject"] == subject for record in mine)]
    by_row: dict[int, dict[str, dict[str, Any]]] = {}
    for record in mine:
        by_row.setdefault(record["index"], {})[record["subject"]] = record
    rows = [_row([by_row[index][subject] for subject in subjects]) for index in sorted(by_row)]
    what, asked = WHAT[kind]
    return {
        "name": name,
        "what": what,
        "asked": asked,
        "subjects": [subject.capitalize() for subject in subjects],
        "numeric": kind == "perplexity",
        "has_reference": kind != "perplexity",
        "rows": rows[:SHOWN_ROWS],
        "left_out": len(rows) > SHOWN_ROWS,
    }


def _row(records: list[dict[str, Any]]) -> dict[str, Any]:
    reference = records[0].get("reference", "")
    return {
        "prompt": records[0]["prompt"],
        "reference": " or ".join(reference) if isinstance(reference, list) else reference,
        "cells": [_cell(record) for record in records],
    }


def _cell(record: dict[str, Any]) -> dict[str, Any]:
    if "nll" in record:
        from math import exp

        return {"text": f"{exp(min(700.0, float(record['nll']) / record['tokens'])):.2f}", "passed": None}
    name, score = next(iter(record.get("metrics", {}).items()), ("", 0))
    note = f" [{record['note']}]" if "note" in record else ""
    return {
        "text": record.get("answer", "") + (f" ({score:.2f})" if name == "rouge_l" else note),
        "passed": None if name in ("", "rouge_l", "mse") else score == 1,
    }


def _subject(subject: ResolvedSubject) -> str:
    adapter = f" with the adapter in {subject.adapter_path}" if subject.adapter_path else ""
    return f"{subject.model.uri}{adapter}"


def _facts(document: EvaluateDocument) -> list[tuple[str, str]]:
    facts = [("Target", _subject(document.target))]
    if document.target.digest:
        facts.append(("Digest", document.target.digest))
    if document.baseline:
        facts.append(("Baseline", _subject(document.baseline)))
    return [*facts, *((f"Suite {suite.name}", source_uri(suite)) for suite in document.suites)]


def _short(number: str | None) -> str:
    return "-" if number is None else f"{float(number):.4g}"


def _signed(number: float) -> str:
    return f"{number:+.3g}"
