"""`restore`: before anything else of the pod, see that the run's places beyond its volumes can be written to, and bring
the newest checkpoint from there where the volume has none as new."""

import os

from swiftlet.wire.documents import TrainDocument
from swiftlet.wire.messages import EXIT_OK

from swiftlet_trainer.checkpoints.copies import CheckpointCopies
from swiftlet_trainer.checkpoints.store import CheckpointStore
from swiftlet_trainer.document import load_document
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.parallel.environment import NodeEnvironment
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.progress import Reporter
from swiftlet_trainer.storage.writing import folder_of, probe
from swiftlet_trainer.training.run import CHECKPOINTS_FOLDER


def run(job_path: str) -> int:
    """On the first node of the run; the others share its volume. Raises InvalidInput with every place that refuses, and
    TransferFailed for what may pass."""
    document = load_document(job_path, TrainDocument)
    if NodeEnvironment.read(os.environ, document.processes_per_node).node_rank > 0:
        return EXIT_OK
    problems: list[str] = []
    for field, uri in (("export.uri", document.export_uri), ("checkpoints.uri", document.copies_uri)):
        try:
            if uri:
                probe(uri, f"{document.namespace}/{document.name} {document.uid}")
        except InvalidInput as error:
            problems += [f"spec.{field}: {uri} cannot be written to: {problem}" for problem in error.problems]
    if problems:
        raise InvalidInput(problems)
    if document.copies_uri:
        _restore(document, document.copies_uri)
    return EXIT_OK


def _restore(document: TrainDocument, uri: str) -> None:
    keep, reporter = document.checkpoints.keep, Reporter()
    store = CheckpointStore(in_pod(document.output_dir) / CHECKPOINTS_FOLDER, keep)
    step, problems = CheckpointCopies(store, folder_of(uri), keep).restore()
    for problem in problems:
        reporter.emit(type="phase", message=f"checkpoint set aside: {problem}")
    if step:
        reporter.emit(type="phase", message=f"checkpoint of step {step} fetched from {uri}")
