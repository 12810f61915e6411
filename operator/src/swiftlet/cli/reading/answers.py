"""What a model answered to the rows of an EvalRun, before and after."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swiftlet.cli.places import run_folder

Object = dict[str, Any]
ROWS = "rows.jsonl"


@dataclass(frozen=True)
class Answer:
    """One row of a suite. before, after: the baseline's and the target's answer; None: that model was not asked."""

    suite: str
    index: int
    prompt: str
    wanted: str
    before: str | None = None
    after: str | None = None


def answers_of(state: Path, run: Object) -> list[Answer]:
    """Of every row that was answered in words; empty while there are none."""
    folder = run_folder(state, run)
    path = folder / ROWS if folder else None
    if path is None or not path.is_file():
        return []
    with path.open(encoding="utf-8") as stream:
        return paired(json.loads(line) for line in stream if line.strip())


def paired(rows: Iterable[Object]) -> list[Answer]:
    """Lines of rows.jsonl as one answer for each row, in the order of their suites."""
    found: dict[tuple[str, int], dict[str, Object]] = {}
    for row in rows:
        if row.get("answer") is not None:
            found.setdefault((row["suite"], row["index"]), {})[row["subject"]] = row
    return [
        Answer(
            suite,
            index,
            str(next(iter(both.values()))["prompt"]),
            _joined(next(iter(both.values())).get("reference")),
            *(both.get(subject, {}).get("answer") for subject in ("baseline", "target")),
        )
        for (suite, index), both in found.items()
    ]


def _joined(reference: str | list[str] | None) -> str:
    return " or ".join(reference) if isinstance(reference, list) else reference or ""
