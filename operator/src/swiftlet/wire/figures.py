"""Figures of an evaluation as a table, so that they fit into a termination message however many suites there are.

One row per suite and metric instead of an object per figure: the 48 figures and 24 comparisons of the largest
evaluation that the API allows take half of the message instead of twice its size.
"""

from collections.abc import Sequence

from pydantic import Field

from swiftlet.api.base import ApiModel
from swiftlet.api.v1alpha1.evalrun import Comparison, Result

COLUMNS = (
    "suite",
    "metric",
    *("target", "target stderr", "target n"),
    *("baseline", "baseline stderr", "baseline n"),
    *("delta", "ciLow", "ciHigh"),
)


class FigureTable(ApiModel):
    """Results and comparisons."""

    suites: list[str] = Field(description="Names that the rows' first column counts.")
    rows: list[list[str | int | None]] = Field(
        description=f"{', '.join(COLUMNS)}; what is missing at the end is left out."
    )


def tabled(results: Sequence[Result], comparison: Sequence[Comparison]) -> FigureTable:
    """The table of these figures. A comparison's own figures are those of target and baseline."""
    figures = {(one.suite, one.metric, one.subject): one for one in results}
    changes = {(one.suite, one.metric): one for one in comparison}
    suites = list(dict.fromkeys(one.suite for one in results))
    rows = []
    for suite, metric in dict.fromkeys((one.suite, one.metric) for one in results):
        row: list[str | int | None] = [suites.index(suite), metric]
        for subject in ("target", "baseline"):
            one = figures.get((suite, metric, subject))
            row += [one.value, one.stderr, one.n] if one else [None, None, None]
        change = changes.get((suite, metric))
        row += [change.delta, change.ci_low, change.ci_high] if change else [None]
        while row[-1] is None:
            row.pop()
        rows.append(row)
    return FigureTable(suites=suites, rows=rows)


def untabled(table: FigureTable) -> tuple[list[Result], list[Comparison]]:
    """Results (the target's first) and comparisons. Raises ValueError or IndexError for a table that is none."""
    results: dict[str, list[Result]] = {"target": [], "baseline": []}
    comparison: list[Comparison] = []
    for row in table.rows:
        cells = dict(zip(COLUMNS, row, strict=False))
        name = {"suite": table.suites[int(cells["suite"] or 0)], "metric": cells["metric"]}
        for subject, found in results.items():
            if cells.get(subject) is not None:
                figure = {"value": cells[subject], "stderr": cells[f"{subject} stderr"], "n": cells[f"{subject} n"]}
                found.append(Result.model_validate({**name, "subject": subject, **figure}))
        if cells.get("delta") is not None:
            both = {"target": cells["target"], "baseline": cells["baseline"]}
            change = {"delta": cells["delta"], "ciLow": cells.get("ciLow"), "ciHigh": cells.get("ciHigh")}
            comparison.append(Comparison.model_validate({**name, **both, **change}))
    return [*results["target"], *results["baseline"]], comparison
