"""`upload`: beside the training, copy its checkpoints to where the document says; after it, the artifact.

It runs in a container of its own, which alone has the credentials. That the training has ended is known by the lock
that it holds, which the kernel takes back however it ends.
"""

import os
import signal
import sys

from swiftlet.wire.documents import TrainDocument
from swiftlet.wire.messages import EXIT_OK

from swiftlet_trainer.accompanying import accompany
from swiftlet_trainer.artifact.writing import ARTIFACT_FOLDER
from swiftlet_trainer.checkpoints.copies import CheckpointCopies
from swiftlet_trainer.checkpoints.store import CheckpointStore
from swiftlet_trainer.document import load_document
from swiftlet_trainer.failures import InvalidInput, TrainerError, write_termination
from swiftlet_trainer.outcome import finished
from swiftlet_trainer.parallel.environment import NodeEnvironment
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.progress import Reporter
from swiftlet_trainer.storage.transfer import TransferFailed
from swiftlet_trainer.storage.writing import folder_of, write_artifact
from swiftlet_trainer.training.run import CHECKPOINTS_FOLDER


class NotUploaded(TrainerError):  # noqa: N818 - says what it is
    """The artifact is whole on the volume, and not where it was to be written to. Another attempt only writes it."""

    reason = "NotUploaded"


def run(job_path: str) -> int:
    """On the first node of the run. Raises NotUploaded and NotBegun."""
    document = load_document(job_path, TrainDocument)
    if NodeEnvironment.read(os.environ, document.processes_per_node).node_rank > 0:
        return EXIT_OK
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what the training still writes when it is stopped is copied too
    accompany("train", _Copier(document).copy if document.copies_uri else None)
    message = finished(document)
    if message and message.artifact and document.export_uri:
        uri = _upload(document, document.export_uri)
        message.artifact = message.artifact.model_copy(update={"uri": uri})
        write_termination(message)
    return EXIT_OK


class _Copier:
    """Copies the newest checkpoint. What cannot be copied stays on the volume, and is told once."""

    def __init__(self, document: TrainDocument) -> None:
        self._uri, keep = document.copies_uri or "", document.checkpoints.keep
        self._store = CheckpointStore(in_pod(document.output_dir) / CHECKPOINTS_FOLDER, keep)
        self._copies = CheckpointCopies(self._store, folder_of(self._uri), keep)
        self._reporter, self._seen = Reporter(), 0

    def copy(self) -> None:
        step = max(self._store.steps(), default=0)
        if step <= self._seen:
            return
        self._seen = step
        try:
            if step not in self._copies.steps():
                self._copies.copy(step)
                sys.stdout.write(f"checkpoint of step {step} copied to {self._uri}\n")
        except FileNotFoundError:
            return  # dropped meanwhile, for a newer one
        except (InvalidInput, TransferFailed) as error:
            self._reporter.emit(type="phase", message=f"checkpoint of step {step} is not copied: {error}")


def _upload(document: TrainDocument, uri: str) -> str:
    Reporter().emit(type="phase", message=f"writing the artifact to {uri}")
    try:
        return write_artifact(in_pod(document.output_dir) / ARTIFACT_FOLDER, uri)
    except (InvalidInput, TransferFailed) as error:
        raise NotUploaded(
            f"{uri}: {error}. The artifact is whole at {document.artifact_uri}; the next attempt only writes it"
        ) from None
