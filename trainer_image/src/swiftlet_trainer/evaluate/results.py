"""Typed results and comparisons from records, and the files that hold them."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from swiftlet.api.v1alpha1.evalrun import Comparison, Result
from swiftlet.wire.documents import ResolvedSuite

from swiftlet_trainer.evaluate.record import Record
from swiftlet_trainer.evaluate.statistics import paired_interval, standard_error, value
from swiftlet_trainer.evaluate.suites import samples

ROWS_FILE = "rows.jsonl"
RESULTS_FILE = "results.json"

Records = dict[tuple[str, str], list[Record]]
"""(suite, subject) to records in the order of the rows."""


def results_of(suites: Sequence[ResolvedSuite], records: Records) -> list[Result]:
    """Every figure with its standard error; the target's first, since gates need them most."""
    return [
        Result(
            suite=suite.name,
            metric=metric,
            subject=subject,
            value=figure(value(sample)),
            stderr=None if (error := standard_error(sample)) is None else figure(error),
            n=len(sample),
        )
        for subject in ("target", "baseline")
        for suite in suites
        if (suite.name, subject) in records
        for metric, sample in samples(suite, records[suite.name, subject]).items()
    ]


def comparisons_of(suites: Sequence[ResolvedSuite], records: Records, seed: int) -> list[Comparison]:
    """Target beside baseline, for each suite that both ran."""
    return [
        comparison
        for suite in suites
        if (suite.name, "baseline") in records
        for comparison in _compared(suite, records[suite.name, "target"], records[suite.name, "baseline"], seed)
    ]


def _compared(
    suite: ResolvedSuite, target: Sequence[Record], baseline: Sequence[Record], seed: int
) -> Iterable[Comparison]:
    before = samples(suite, baseline)
    for metric, after in samples(suite, target).items():
        low, high = paired_interval(after, before[metric], seed)
        yield Comparison(
            suite=suite.name,
            metric=metric,
            target=figure(value(after)),
            baseline=figure(value(before[metric])),
            delta=figure(value(after) - value(before[metric])),
            ci_low=figure(low),
            ci_high=figure(high),
        )


def figure(number: float) -> str:
    """Six significant digits, or inf, -inf or nan: always readable as a float."""
    return f"{number:.6g}"


def write_rows(folder: Path, records: Records) -> None:
    """rows.jsonl: one line per row and subject."""
    with (folder / ROWS_FILE).open("w", encoding="utf-8") as stream:
        for group in records.values():
            stream.writelines(json.dumps(record.document(), ensure_ascii=False) + "\n" for record in group)


def write_results(folder: Path, results: Sequence[Result], comparison: Sequence[Comparison]) -> None:
    """results.json: what the termination message says, whole, however long it is."""
    content = {"results": [r.document() for r in results], "comparison": [c.document() for c in comparison]}
    (folder / RESULTS_FILE).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
