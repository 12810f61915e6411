"""Another run's adapter that a run starts from: whether it may, and what an artifact records of it."""

from pathlib import Path

from swiftlet.api.v1alpha1.tuner import Lora, other_shape
from swiftlet.wire.documents import TrainDocument
from swiftlet.wire.reading import read

from swiftlet_trainer.artifact.compatibility import check_adapter
from swiftlet_trainer.artifact.identity import identity_problems
from swiftlet_trainer.artifact.manifest import ParentRecord, is_artifact, manifest_digest, read_manifest
from swiftlet_trainer.artifact.tokenizers import tokenizer_problems
from swiftlet_trainer.models.loading import model_folder
from swiftlet_trainer.paths import in_pod


def start_problems(document: TrainDocument) -> list[str]:
    """Why the run cannot start from the adapter that its document names, one line each; none without one.

    Its bytes are those that were promised, its base is the very model, with the tokenizer that it was trained with; and
    an adapter that is trained further keeps its shape.
    """
    start = document.start
    if start is None:
        return []
    adapter, base = in_pod(_path(document)), model_folder(start.merge_into or document.model)
    problems = identity_problems(adapter, start.adapter.digest) or [
        *check_adapter(adapter, base),
        *tokenizer_problems(adapter, base),
    ]
    if not problems and start.merge_into is None:
        problems = _other_shape(document, adapter)
    return [f"model {start.adapter.uri}: {problem}" for problem in problems]


def parents_of(document: TrainDocument) -> list[ParentRecord] | None:
    """What the run starts from where that is another one's artifact, and what that was made from; newest first."""
    folder = in_pod(_path(document)) if document.start else model_folder(document.model)
    if not is_artifact(folder):
        return None
    manifest = read_manifest(folder)
    own = ParentRecord(
        name=manifest.name, type=manifest.type, digest=manifest_digest(folder), base_model=manifest.base_model
    )
    return [own, *(manifest.parents or [])]


def _path(document: TrainDocument) -> str:
    path = document.start.adapter.path if document.start else None
    if path is None:
        raise ValueError("an adapter is read from a folder in the pod; the control plane refuses others")
    return path


def _other_shape(document: TrainDocument, adapter: Path) -> list[str]:
    recorded = read_manifest(adapter).parameters.get("tuner", {}).get("lora", {})
    if document.tuner.lora is None:
        return ["tuner.full trains every weight of a model, and this is an adapter; merge it, or leave tuner out"]
    found = other_shape(document.tuner.lora, read(Lora, recorded).value)
    return [
        f"tuner.lora.{one}, and an adapter that is trained further keeps its shape; leave tuner out, or merge it"
        for one in found
    ]
