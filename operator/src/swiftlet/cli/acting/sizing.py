"""What a FineTuneJob will need, from the model's config.json and the data files as they lie on this machine."""

import csv
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from swiftlet.api import FineTuneJob
from swiftlet.api.base import Resource
from swiftlet.api.v1alpha1.dataset import Dataset
from swiftlet.api.v1alpha1.uris import parse_uri, scheme_of
from swiftlet.cli.acting.planning import Imagined, PlannedResource
from swiftlet.cli.printing.figures import size
from swiftlet.kinds.conditions.verdict import Verdict
from swiftlet.kinds.finetunejob.estimate import Estimate, estimate
from swiftlet.kinds.finetunejob.plan import Layout, plan_layout
from swiftlet.kinds.finetunejob.shape import shape_of
from swiftlet.wire.documents import TrainDocument
from swiftlet.wire.processor import bf16_flag, usable_cores
from swiftlet.wire.step_plan import Hardware, StepPlan, plan_step

ASSUMED = "a GPU of CUDA capability 8.0 or newer is assumed; pods decide by what they find"


@dataclass(frozen=True)
class Needs:
    """The arithmetic of one run; `unknown` says why a part of it could not be done."""

    layout: Layout
    step: StepPlan
    rows: int | None
    estimate: Estimate | None
    unknown: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON, with sizes in bytes."""
        figures = {**asdict(self.estimate), "memoryTotal": self.estimate.memory.total} if self.estimate else {}
        layout = {**asdict(self.layout), "world_size": self.layout.world_size}
        return {"step": _camel(asdict(self.step)), "rows": self.rows, "unknown": list(self.unknown)} | {
            "layout": _camel(layout),
            "estimate": _camel(figures),
        }


Places = Callable[[str], Path | None]
"""Where on this machine lies what a URI names; None: nowhere."""


def needs_of(planned: PlannedResource, world: Imagined, places: Places) -> Needs | None:
    """The needs of a FineTuneJob; None when it is refused, and of other kinds."""
    if planned.resource["kind"] != "FineTuneJob":
        return None
    job = FineTuneJob.model_validate(planned.resource)
    layout = plan_layout(job)
    if isinstance(layout, Verdict) or not planned.job_document:
        return None
    document = TrainDocument.model_validate(planned.job_document)
    step = plan_step(document, _hardware(document))
    counts = [_weighted(data, _rows(data, job, world, places)) for data in job.spec.datasets if data.split == "train"]
    rows = None if None in counts or job.spec.template.packing else sum(count or 0 for count in counts)
    model = places(planned.first_model)
    if model is None:
        return Needs(layout, step, rows, None, (f"{planned.first_model}: pods fetch it, this machine has none",))
    config = model / "config.json"
    spec = job.spec.model_copy(update={"tuner": document.tuner})
    try:
        shape = shape_of(json.loads(config.read_text(encoding="utf-8")))
        found = estimate(spec, layout, shape, step.precision.value, rows)
    except OSError as error:
        return Needs(layout, step, rows, None, (f"{config}: {error.strerror}",))
    except ValueError as error:
        return Needs(layout, step, rows, None, (f"{config}: {error}",))
    return Needs(layout, step, rows, found)


def text_of(needs: Needs, job: dict[str, Any]) -> list[tuple[str, str]]:
    """Label and text of each line."""
    lines = [("layout", needs.layout.words()), *_step(needs.step, job)]
    found = needs.estimate
    if found is None:
        return [*lines, *(("unknown", text) for text in needs.unknown)]
    share = 100 * found.trained_parameters / found.parameters
    memory = found.memory
    parts = {name: getattr(memory, name) for name in ("weights", "gradients", "optimizer", "activations", "logits")}
    kept = job["spec"]["checkpoints"]["keep"]
    return [
        *lines,
        ("parameters", f"{found.parameters:,}, of which {found.trained_parameters:,} are trained ({share:.1f}%)"),
        (
            "memory",
            f"{size(memory.total)} per process, at most: " + ", ".join(f"{k} {size(v)}" for k, v in parts.items()),
        ),
        (
            "disk",
            f"{size(found.disk_bytes)}: {kept + 1} checkpoints of {size(found.checkpoint_bytes)}, and the artifact"
            + (f", beside a merged base of {size(found.merged_bytes)}" if found.merged_bytes else ""),
        ),
        ("steps", _steps(needs, job)),
    ]


def _step(step: StepPlan, job: dict[str, Any]) -> list[tuple[str, str]]:
    first, *others = [*step.lines(), *([ASSUMED] if job["spec"]["compute"].get("gpus") else [])]
    return [("step", first), *(("", line) for line in others)]


def _steps(needs: Needs, job: dict[str, Any]) -> str:
    training = job["spec"]["training"]
    if needs.estimate is None or needs.estimate.steps is None:
        return "known when the rows are packed or counted, in the prepare step"
    if training.get("maxSteps"):
        return f"{needs.estimate.steps} (maxSteps)"
    return f"{needs.estimate.steps}, when no row is dropped: {needs.rows} rows, {training['globalBatchSize']} a step"


def _hardware(document: TrainDocument) -> Hardware:
    """This machine's processor, or a GPU as most are; pods decide by what they find."""
    processes = document.processes_per_node
    if document.use_gpu:
        return Hardware("cuda", True, usable_cores(), processes)
    return Hardware("cpu", bf16_flag() is not None, usable_cores(), processes)


def _weighted(data: Dataset, rows: int | None) -> int | None:
    if rows is None:
        return None
    return math.floor((data.sample or rows) * data.weight + 0.5)


def _rows(data: Dataset, job: Resource, world: Imagined, places: Places) -> int | None:
    """Rows of a data file; None when it is not here, or only the trainer can read it."""
    uri = parse_uri(data.uri)
    counter = _COUNTERS.get(Path(uri.path).suffix)
    if counter is None:
        return None
    scheme = scheme_of(uri)
    if scheme.object and scheme.is_keyed:
        found = world.get(scheme.object[1], job.metadata.namespace or "default", uri.authority) or {}
        text = (found.get("data") or {}).get(uri.path)
        return None if text is None else counter(text)
    path = places(data.uri)
    try:
        return counter(path.read_text(encoding="utf-8-sig")) if path else None
    except (OSError, ValueError):
        return None


def _json_rows(text: str) -> int | None:
    rows = json.loads(text)
    return len(rows) if isinstance(rows, list) else None


_COUNTERS: dict[str, Callable[[str], int | None]] = {
    ".jsonl": lambda text: sum(1 for line in text.splitlines() if line.strip()),
    ".json": _json_rows,
    ".csv": lambda text: max(sum(1 for row in csv.reader(StringIO(text)) if row) - 1, 0),
}


def _camel(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    names = {key: key.split("_")[0] + "".join(part.capitalize() for part in key.split("_")[1:]) for key in value}
    return {names[key]: _camel(part) for key, part in value.items()}
