"""What the end of a training process says, by its exit code and by what it wrote."""

import signal
from typing import Any

from swiftlet.api.v1alpha1.finetunejob_status import Failure
from swiftlet.wire.messages import EXIT_ERROR, EXIT_TERMINATED

from swiftlet_trainer.parallel.errors import failure_from_file


def described(exit_code: int, error: str | dict[str, Any] | None, rank: int) -> Failure:
    """What the control plane is told about one failed process: what it wrote itself, else what its exit says.

    exit_code: negative for a signal, as subprocess has it. error: what is in its error file; None when there is none.
    """
    written = failure_from_file(error) if error else None
    if written is not None:
        return written.model_copy(update={"rank": rank})
    if exit_code == -signal.SIGKILL:
        message = (
            "Killed (SIGKILL): most often out of memory; lower perDeviceBatchSize or maxLength, or give the pod more"
        )
        return Failure(reason="OOMKilled", message=message, rank=rank, exit_code=EXIT_ERROR)
    # Before it listens, a process dies of the signal; there was nothing to save yet.
    if exit_code in (EXIT_TERMINATED, -signal.SIGTERM):
        return Failure(reason="Terminated", message="stopped by SIGTERM", rank=rank, exit_code=EXIT_TERMINATED)
    if exit_code < 0:
        name = signal.Signals(-exit_code).name
        return Failure(reason=name, message=f"rank {rank} died of {name}", rank=rank, exit_code=EXIT_ERROR)
    message = f"rank {rank} exited with code {exit_code} and left no reason; see its log"
    return Failure(reason="Error", message=message, rank=rank, exit_code=exit_code or EXIT_ERROR)
