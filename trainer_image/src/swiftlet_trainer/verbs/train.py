"""`train`: the training processes of this node, then the termination message."""

import json
import os
import sys
from pathlib import Path

from swiftlet.api.v1alpha1.finetunejob_status import Failure
from swiftlet.wire.documents import TrainDocument
from swiftlet.wire.messages import EXIT_ERROR, EXIT_OK, EXIT_TERMINATED, TerminationMessage

from swiftlet_trainer.accompanying import AT_WORK
from swiftlet_trainer.document import load_document
from swiftlet_trainer.failures import write_termination
from swiftlet_trainer.gpu import require_gpu
from swiftlet_trainer.locking import hold
from swiftlet_trainer.outcome import finished, write_outcome
from swiftlet_trainer.parallel.alone import run_alone
from swiftlet_trainer.parallel.environment import NodeEnvironment
from swiftlet_trainer.parallel.strategy import zero_stage
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.tracking.processes import trackers
from swiftlet_trainer.tracking.tracked_run import Ending
from swiftlet_trainer.training.run import RESULT_FILE

ENDINGS = {EXIT_OK: Ending.FINISHED, EXIT_TERMINATED: Ending.STOPPED}
"""What trackers are told, by exit code."""


def run(job_path: str) -> int:
    """Run this node's training processes; returns the exit code (swiftlet.wire.messages). Raises NoGPU."""
    with hold(in_pod(AT_WORK)):
        return _run(job_path)


def _run(job_path: str) -> int:
    document = load_document(job_path, TrainDocument)
    node = NodeEnvironment.read(os.environ, document.processes_per_node)
    result = in_pod(document.output_dir) / RESULT_FILE
    if done := finished(document):
        sys.stderr.write("the run is finished: its artifact is there\n")
        write_termination(_told(document, done) if node.node_rank == 0 else TerminationMessage())
        return EXIT_OK
    require_gpu(document.use_gpu, "images.trainer")
    if node.node_rank > 0:
        return _attempt(document, node, job_path)
    result.unlink(missing_ok=True)
    with trackers(document, job_path) as tracked:
        code = _attempt(document, node, job_path)
        tracked.ending = ENDINGS.get(code, Ending.FAILED)
    return code


def _attempt(document: TrainDocument, node: NodeEnvironment, job_path: str) -> int:
    """Run the training processes to their end and say in the termination message how they did."""
    failure = _train(document, node, job_path)
    if failure is not None:
        failure.pod = os.environ.get("POD_NAME")
        sys.stderr.write(f"rank {failure.rank} failed: {failure.reason}: {failure.message}\n")
        write_termination(TerminationMessage(failure=failure))
        return failure.exit_code or EXIT_ERROR
    message = TerminationMessage()
    if node.node_rank == 0:
        result = in_pod(document.output_dir) / RESULT_FILE
        _write_report(result.parent)
        message = _message(result)
        write_outcome(document, message)
    write_termination(_told(document, message))
    return EXIT_OK


def _told(document: TrainDocument, message: TerminationMessage) -> TerminationMessage:
    """What this container says: of an artifact that is written elsewhere, whoever writes it."""
    return message.model_copy(update={"artifact": None}) if document.export_uri else message


def _train(document: TrainDocument, node: NodeEnvironment, job_path: str) -> Failure | None:
    """Run this node's training processes. One process alone meets nobody, unless DeepSpeed looks for its peers."""
    if (node.nodes, node.processes_per_node) == (1, 1) and not zero_stage(document.strategy):
        return run_alone(job_path)
    from swiftlet_trainer.parallel.launch import run_workers

    return run_workers(node, f"{document.namespace}-{document.name}", job_path)


def _write_report(output_dir: Path) -> None:
    """The page with the curves; a run that has its artifact does not fail for want of it."""
    from swiftlet_trainer.report.training import write_training_report

    try:
        write_training_report(output_dir)
    except OSError as error:
        sys.stderr.write(f"the report cannot be written: {error}\n")


def _message(result: Path) -> TerminationMessage:
    """What rank 0 left behind."""
    return TerminationMessage.model_validate(json.loads(result.read_text(encoding="utf-8")))
