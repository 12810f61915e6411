"""Who a run is to trackers: its name and tags come from the resource."""

import json
from pathlib import Path

import swiftlet
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.tracking.tracked_run import TrackedRun, flattened

SETTINGS = {"task", "tuner", "template", "training", "nodes", "processes_per_node", "strategy", "datasets"}
"""Fields of the document that are told as settings."""


def about(document: TrainDocument) -> TrackedRun:
    """The run of a document."""
    folder = in_pod(document.output_dir)
    told = document.model_dump(mode="json", by_alias=True, exclude_none=True, include=SETTINGS)
    told["datasets"] = {str(index): data["uri"] for index, data in enumerate(told["datasets"])}
    told["training"].pop("reportTo", None)
    told["template"].pop("lossScaleRules", None)
    tags = {
        "swiftlet.kind": "FineTuneJob",
        "swiftlet.namespace": document.namespace,
        "swiftlet.name": document.name,
        "swiftlet.baseModel": document.model.uri,
        "swiftlet.dataDigest": _data_digest(folder),
        "swiftlet.version": swiftlet.__version__,
    }
    name = f"{document.namespace}/{document.name}"
    return TrackedRun(document.uid, name, tags, flattened(told), folder)


def _data_digest(folder: Path) -> str:
    """Of the rows that `prepare` has left; empty before."""
    found = sorted((folder / "data").glob("*/prepared.json"), key=lambda file: file.stat().st_mtime)
    return str(json.loads(found[-1].read_text(encoding="utf-8"))["digest"]) if found else ""
