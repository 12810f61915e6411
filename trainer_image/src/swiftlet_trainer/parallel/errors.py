"""What a training process writes about its end, and how its parent reads it."""

import json
import os
import time
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from swiftlet.api.v1alpha1.finetunejob_status import Failure

from swiftlet_trainer.failures import failure_of

ERROR_FILE_VARIABLE = "TORCHELASTIC_ERROR_FILE"
"""Set by torchrun for each process. Source: torch.distributed.elastic.multiprocessing.errors."""

PEER_SIGNS = (
    "Connection closed by peer",
    "Connection reset by peer",
    "Broken pipe",
    "Connection refused",
    "Socket Timeout",
    "Socket Closed",
    "ncclRemoteError",
    "ncclSystemError",
    "NCCL communicator was aborted",
    "Failed to recv, got 0 bytes",
    "recvValue failed",
    "wait timeout after",
)
"""What gloo, NCCL and the store say when another process is gone."""
PEER_MODULES = ("gloo", "nccl", "c10d", "TCPStore", "ProcessGroup", "socket.cpp", "Socket", "DistNetwork")


def is_peer_failure(error: BaseException) -> bool:
    """Whether `error` only says that another process of the run went away."""
    text = f"{type(error).__name__}: {error}"
    return any(sign in text for sign in PEER_SIGNS) and any(module in text for module in PEER_MODULES)


def write_failure(error: BaseException) -> Failure:
    """Leave `error` where torchrun looks for it, in its format, with our own description inside."""
    failure = failure_of(error)
    if is_peer_failure(error):
        failure.reason = "PeerFailed"
        failure.message = f"another process of the run went away: {error}"
    path = os.environ.get(ERROR_FILE_VARIABLE)
    if path:
        info = {"py_callstack": failure.traceback or "", "timestamp": str(int(time.time()))}
        record = {"message": failure.message, "extraInfo": info, "failure": failure.document()}
        Path(path).write_text(json.dumps({"message": record}), encoding="utf-8")
    return failure


def failure_from_file(text: str | dict[str, Any]) -> Failure | None:
    """The description in an error file; None when another program wrote it."""
    try:
        content = json.loads(text) if isinstance(text, str) else text
        return Failure.model_validate(content["message"]["failure"])
    except (json.JSONDecodeError, KeyError, TypeError, ValidationError):
        return None
