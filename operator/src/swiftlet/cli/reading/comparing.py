"""Two EvalRuns side by side."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swiftlet.cli.errors import CommandError
from swiftlet.cli.places import run_folder
from swiftlet.cli.reading.bootstrap import Pair, difference
from swiftlet.wire.significance import Interval, judged

Object = dict[str, Any]
Rows = dict[tuple[str, int], Object]
"""(suite, row index) to the target's row."""


@dataclass(frozen=True)
class Compared:
    """One metric of one suite. The interval is None where the rows give none; verdict: what the change says, or why
    nothing can be said."""

    suite: str
    metric: str
    a: float
    b: float
    n: int
    interval: Interval | None
    verdict: str

    def document(self) -> Object:
        interval = {"ciLow": self.interval[0], "ciHigh": self.interval[1]} if self.interval else {}
        figures = {"a": self.a, "b": self.b, "delta": self.b - self.a, "rows": self.n}
        # JSON has no infinities: they are texts, as in a status.
        shown = {
            name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in (figures | interval).items()
        }
        return {"suite": self.suite, "metric": self.metric, **shown, "verdict": self.verdict}


def compare(a: Object, b: Object, state: Path | None) -> list[Compared]:
    """The metrics that both runs' targets have, from their rows where both kept them, else from their statuses.

    Raises CommandError when a run has no results, or when they share no suite.
    """
    results = [_results(run) for run in (a, b)]
    shared = [key for key in results[0] if key in results[1]]
    if not shared:
        suites = [", ".join(sorted({suite for suite, _ in found})) for found in results]
        raise CommandError(
            f"{a['metadata']['name']} ({suites[0]}) and {b['metadata']['name']} ({suites[1]}) have no suite in common;"
            " only figures of the same questions can be compared"
        )
    rows = [_rows(run, state) for run in (a, b)]
    return [_compared(key, results[0][key], results[1][key], rows[0], rows[1]) for key in shared]


def _results(run: Object) -> dict[tuple[str, str], Object]:
    found = (run.get("status") or {}).get("results") or []
    if not found:
        name = run["metadata"]["name"]
        raise CommandError(f"evalrun/{name} has no results yet; see `swiftlet describe evalrun {name}`")
    return {(one["suite"], one["metric"]): one for one in found if one["subject"] == "target"}


def _rows(run: Object, state: Path | None) -> Rows | None:
    folder = run_folder(state, run) if state else None
    path = folder / "rows.jsonl" if folder else None
    if path is None or not path.is_file():
        return None
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {(row["suite"], row["index"]): row for row in rows if row["subject"] == "target"}


def _compared(key: tuple[str, str], a: Object, b: Object, rows_a: Rows | None, rows_b: Rows | None) -> Compared:
    suite, metric = key
    figures = float(a["value"]), float(b["value"]), min(a["n"], b["n"])
    if rows_a is None or rows_b is None:
        return Compared(suite, metric, *figures, None, "rows.jsonl is missing, so no interval")
    ours = [index for index in rows_a if index[0] == suite]
    theirs = [index for index in rows_b if index[0] == suite]
    if ours != theirs or any(rows_a[index]["prompt"] != rows_b[index]["prompt"] for index in ours):
        return Compared(suite, metric, *figures, None, "the runs had other rows, so no interval")
    if metric != "perplexity":  # of agents, some figures are about some rows alone
        ours = [index for index in ours if metric in rows_a[index].get("metrics", {})]
    if not ours:
        return Compared(suite, metric, *figures, None, "no row has a figure of its own, so no interval")
    pairs = [Pair(*_scored(rows_a[index], metric), *_scored(rows_b[index], metric)) for index in ours]
    found = difference(pairs, exponential=metric == "perplexity")
    return Compared(suite, metric, found.a, found.b, len(pairs), *judged(len(pairs), *found[2:]))


def _scored(row: Object, metric: str) -> tuple[float, float]:
    """A row's value and weight: perplexity weighs by tokens, every other metric counts each row once."""
    return (float(row["nll"]), float(row["tokens"])) if metric == "perplexity" else (row["metrics"][metric], 1.0)
