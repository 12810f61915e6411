"""Checks within an EvalRun that its schema cannot state: suites have names of their own, and gates name what exists."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic.alias_generators import to_camel

from swiftlet.api.schema.problems import Location, Problem, shown
from swiftlet.api.schema.validation import nearest
from swiftlet.api.v1alpha1.suites import SUITE_METRICS, SUITE_NAMES
from swiftlet.documents.document import Document


def evaluation_problems(document: Document, full: Mapping[str, Any]) -> Iterator[Problem]:
    """Problems of an EvalRun's suites and gates; `full` is the document defaulted. Nothing for other kinds."""
    if document.kind != "EvalRun":
        return
    reports: dict[str, tuple[str, ...]] = {}
    for index, suite in enumerate(full["spec"]["suites"]):
        name, metrics = _reported(suite)
        if name in reports:
            at: Location = ("spec", "suites", index)
            rule = f"is the second suite called {name}"
            yield document.problem(at, rule, "set name, so that results can tell them apart")
        reports[name] = metrics
    for index, gate in enumerate(full["spec"]["gates"]):
        yield from _gate_problems(document, gate, ("spec", "gates", index), reports)


def _reported(suite: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """A suite's name in results, and the metrics that it reports."""
    block = next(name for name in SUITE_NAMES if to_camel(name) in suite)
    return suite.get("name", SUITE_NAMES[block]), SUITE_METRICS.get(block) or tuple(suite[block]["metrics"])


def _gate_problems(
    document: Document, gate: Mapping[str, Any], at: Location, reports: Mapping[str, tuple[str, ...]]
) -> Iterator[Problem]:
    metric, wanted = gate["metric"], gate.get("suite")
    named = {name: metrics for name, metrics in reports.items() if wanted in (None, name)}
    if not named:
        close = nearest(str(wanted), list(reports))
        remedy = f"did you mean {close}?" if close else f"the suites are {', '.join(reports)}"
        yield document.problem((*at, "suite"), "names no suite", remedy, shown(wanted))
        return
    reporting = [name for name, metrics in named.items() if metric in metrics]
    if not reporting:
        offered = ", ".join(sorted({metric for metrics in named.values() for metric in metrics}))
        where = f"suite {wanted}" if wanted else "any suite"
        remedy = f"reported are {offered}; add the metric to a suite, or gate on one of these"
        yield document.problem((*at, "metric"), f"is not reported by {where}", remedy, shown(metric))
    elif len(reporting) > 1:
        rule = f"is reported by several suites: {', '.join(reporting)}"
        yield document.problem((*at, "metric"), rule, "set suite to one of them", shown(metric))
