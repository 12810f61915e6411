"""`publish`: when `evaluate` has ended well, attach its results and its report to what was measured, in its registry.

It runs in a container of its own, which alone has the credentials.
"""

import signal

from swiftlet.wire.documents import EvaluateDocument
from swiftlet.wire.messages import EXIT_OK

from swiftlet_trainer.accompanying import accompany
from swiftlet_trainer.document import load_document
from swiftlet_trainer.evaluate.results import RESULTS_FILE
from swiftlet_trainer.failures import InvalidInput, TrainerError
from swiftlet_trainer.outcome import finished
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.progress import Reporter
from swiftlet_trainer.report.evaluation import REPORT_FILE
from swiftlet_trainer.storage.transfer import TransferFailed
from swiftlet_trainer.storage.writing import attach


class NotPublished(TrainerError):  # noqa: N818 - says what it is
    """Results are on the volume, and not attached. Another attempt only attaches them."""

    reason = "NotPublished"


def run(job_path: str) -> int:
    """Raises NotPublished and NotBegun."""
    document = load_document(job_path, EvaluateDocument)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # results that are there are attached, within the grace period
    accompany("evaluate")
    if document.attach_uri and finished(document):
        folder = in_pod(document.output_dir)
        Reporter().emit(type="phase", message=f"attaching the results to {document.attach_uri}")
        files = [folder / name for name in (RESULTS_FILE, REPORT_FILE)]
        try:
            attach(files, document.attach_uri, document.target.digest, f"{document.namespace}/{document.name}")
        except (InvalidInput, TransferFailed) as error:
            raise NotPublished(
                f"{document.attach_uri}: {error}. The results are whole on the volume; the next attempt attaches them"
            ) from None
    return EXIT_OK
