"""Who a run is to trackers: its name and tags come from the resource."""

import json
from pathlib import Path

import swiftlet
from swiftlet.api.v1alpha1.tracking import ReportTo
from swiftlet.wire.documents import EvaluateDocument, TrainDocument

from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.progress import HISTORY_FILE
from swiftlet_trainer.tracking.tracked_run import TrackedRun, flattened

Document = TrainDocument | EvaluateDocument
DOCUMENTS: dict[str, type[Document]] = {kind.__name__: kind for kind in (TrainDocument, EvaluateDocument)}
"""What is tracked, by the name of its kind."""
FIGURES_FILE = "figures.jsonl"
"""What an evaluation has measured, as a history of one step."""
SETTINGS = {"task", "tuner", "template", "training", "nodes", "processes_per_node", "strategy", "datasets"}
EVALUATION_SETTINGS = {"target", "baseline", "suites", "batch_size", "seed"}
"""Fields of the documents that are told as settings."""


def asked_of(document: Document) -> ReportTo | None:
    """The trackers that a document names."""
    return document.training.report_to if isinstance(document, TrainDocument) else document.report_to


def history_of(document: Document) -> Path:
    """The file that trackers are told from."""
    name = HISTORY_FILE if isinstance(document, TrainDocument) else FIGURES_FILE
    return in_pod(document.output_dir) / name


def about(document: Document) -> TrackedRun:
    """The run of a document."""
    tags = {
        "swiftlet.namespace": document.namespace,
        "swiftlet.name": document.name,
        "swiftlet.version": swiftlet.__version__,
    }
    if isinstance(document, TrainDocument):
        tags, settings = tags | _tags_of_training(document), _settings_of_training(document)
    else:
        tags, settings = tags | _tags_of_evaluation(document), _settings_of_evaluation(document)
    name = f"{document.namespace}/{document.name}"
    return TrackedRun(document.uid, name, tags, settings, in_pod(document.output_dir))


def _tags_of_training(document: TrainDocument) -> dict[str, str]:
    digest = _data_digest(in_pod(document.output_dir))
    return {"swiftlet.kind": "FineTuneJob", "swiftlet.baseModel": document.model.uri, "swiftlet.dataDigest": digest}


def _tags_of_evaluation(document: EvaluateDocument) -> dict[str, str]:
    """With those of what is evaluated, by which the run of its training is found."""
    target = {"swiftlet.fineTuneJob": document.fine_tune_job, "swiftlet.targetDigest": document.target.digest}
    told = {name: text for name, text in target.items() if text}
    return {"swiftlet.kind": "EvalRun", "swiftlet.model": document.target.model.uri, **told}


def _settings_of_training(document: TrainDocument) -> dict[str, str]:
    told = document.model_dump(mode="json", by_alias=True, exclude_none=True, include=SETTINGS)
    told["datasets"] = {str(index): data["uri"] for index, data in enumerate(told["datasets"])}
    told["training"].pop("reportTo", None)
    told["template"].pop("lossScaleRules", None)
    return flattened(told)


def _settings_of_evaluation(document: EvaluateDocument) -> dict[str, str]:
    told = document.model_dump(mode="json", by_alias=True, exclude_none=True, include=EVALUATION_SETTINGS)
    told["suites"] = {suite.pop("name"): suite for suite in told["suites"]}
    return flattened(told)


def _data_digest(folder: Path) -> str:
    """Of the rows that `prepare` has left; empty before."""
    found = sorted((folder / "data").glob("*/prepared.json"), key=lambda file: file.stat().st_mtime)
    return str(json.loads(found[-1].read_text(encoding="utf-8"))["digest"]) if found else ""
