"""What an evaluation has measured, as trackers are told it."""

import json
from collections.abc import Sequence
from pathlib import Path

from swiftlet.api.v1alpha1.evalrun import Result

from swiftlet_trainer.progress import now
from swiftlet_trainer.tracking.about import FIGURES_FILE


def write_figures(folder: Path, results: Sequence[Result]) -> None:
    """Leave the results as one step: `eval/SUITE/METRIC` of the target, and with `/baseline` at its end of that."""
    figures = {_name(result): result.value for result in results}
    staged = (folder / FIGURES_FILE).with_suffix(".tmp")
    staged.write_text(json.dumps({"time": now(), "step": 1, "figures": figures}) + "\n", encoding="utf-8")
    staged.replace(folder / FIGURES_FILE)


def _name(result: Result) -> str:
    name = f"eval/{result.suite}/{result.metric}"
    return name if result.subject == "target" else f"{name}/{result.subject}"
