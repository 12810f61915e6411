"""torchrun in this process: starts the training processes of this node and finds out why they ended."""

import signal
import sys
from types import FrameType

import psutil
from swiftlet.api.finetunejob import Failure
from swiftlet.wire.messages import EXIT_ERROR, EXIT_TERMINATED
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from swiftlet_trainer.parallel.environment import NodeEnvironment
from swiftlet_trainer.parallel.errors import failure_from_file

WORKER = "swiftlet_trainer.training.worker"
JOIN_SECONDS = 900
"""How long the nodes wait for each other: pulling an image may take minutes."""
PEER_SECONDS = 15
"""How long the processes of this node get to end by themselves after one of them failed."""
STOPPING = (signal.SIGTERM, signal.SIGINT)


def launch_config(node: NodeEnvironment, run_id: str) -> LaunchConfig:
    """torchrun's settings: a static rendezvous on the first pod, or a private one on a free port for a single node."""
    several = node.nodes > 1
    return LaunchConfig(
        min_nodes=node.nodes,
        max_nodes=node.nodes,
        nproc_per_node=node.processes_per_node,
        run_id=run_id,
        role="trainer",
        rdzv_backend="static" if several else "c10d",
        rdzv_endpoint=f"{node.master_address}:{node.master_port}" if several else "localhost:0",
        rdzv_configs={"rank": node.node_rank, "timeout": JOIN_SECONDS} if several else {},
        # Restarts are the control plane's: it restarts all nodes, from the newest checkpoint.
        max_restarts=0,
        monitor_interval=0.1,
        start_method="spawn",
        # On SIGTERM torchrun would kill the workers after a while; ours finish their step and write a checkpoint.
        signals_to_handle="SIGQUIT",
        shutdown_timeout=PEER_SECONDS,
        local_addr="127.0.0.1" if not several else None,
    )


def run_workers(node: NodeEnvironment, run_id: str, job_path: str) -> Failure | None:
    """Run this node's training processes to their end. None when all succeeded, else the first failure by time."""
    previous = {number: signal.signal(number, _forward) for number in STOPPING}
    try:
        elastic_launch(launch_config(node, run_id), sys.executable)("-u", "-m", WORKER, "--job", job_path)
    except ChildFailedError as error:
        return first_failure(list(error.failures.values()), {id(one): rank for rank, one in error.failures.items()})
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return None


def first_failure(failures: list[ProcessFailure], ranks: dict[int, int]) -> Failure:
    """The failure that came first, and not one that only followed from it where a cause is known."""
    ordered = sorted(failures, key=lambda failure: failure.timestamp)
    described = [describe(failure, ranks.get(id(failure), failure.local_rank)) for failure in ordered]
    causes = [failure for failure in described if failure.reason != "PeerFailed"]
    return (causes or described)[0]


def describe(failure: ProcessFailure, rank: int) -> Failure:
    """What the control plane is told about one failed process: what it wrote itself, else what its exit says."""
    written = failure_from_file(failure.error_file_data) if failure.error_file_data else None
    if written is not None:
        return written.model_copy(update={"rank": rank})
    if failure.exitcode == -signal.SIGKILL:
        message = (
            "Killed (SIGKILL): most often out of memory; lower perDeviceBatchSize or maxLength, or give the pod more"
        )
        return Failure(reason="OOMKilled", message=message, rank=rank, exit_code=EXIT_ERROR)
    if failure.exitcode == EXIT_TERMINATED:
        return Failure(reason="Terminated", message="stopped by SIGTERM", rank=rank, exit_code=EXIT_TERMINATED)
    if failure.exitcode < 0:
        name = signal.Signals(-failure.exitcode).name
        return Failure(reason=name, message=f"rank {rank} died of {name}", rank=rank, exit_code=EXIT_ERROR)
    message = f"rank {rank} exited with code {failure.exitcode} and left no reason; see its log"
    return Failure(reason="Error", message=message, rank=rank, exit_code=failure.exitcode or EXIT_ERROR)


def _forward(number: int, _frame: FrameType | None) -> None:
    """Pass the signal on to the training processes; they agree on a checkpoint and leave."""
    for child in psutil.Process().children():
        try:
            child.send_signal(number)
        except psutil.NoSuchProcess:
            continue
