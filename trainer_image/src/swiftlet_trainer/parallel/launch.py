"""torchrun in this process: starts the training processes of this node and finds out why they ended."""

import sys

from swiftlet.api.v1alpha1.finetunejob_status import Failure
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from swiftlet_trainer.parallel.ending import described
from swiftlet_trainer.parallel.environment import WORKER, NodeEnvironment
from swiftlet_trainer.parallel.stop_signals import passed_on

JOIN_SECONDS = 900
"""How long the nodes wait for each other: pulling an image may take minutes."""
PEER_SECONDS = 15
"""How long the processes of this node get to end by themselves after one of them failed."""


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
    try:
        with passed_on():
            elastic_launch(launch_config(node, run_id), sys.executable)("-u", "-m", WORKER, "--job", job_path)
    except ChildFailedError as error:
        return first_failure(list(error.failures.values()), {id(one): rank for rank, one in error.failures.items()})
    return None


def first_failure(failures: list[ProcessFailure], ranks: dict[int, int]) -> Failure:
    """The failure that came first, and not one that only followed from it where a cause is known."""
    ordered = sorted(failures, key=lambda failure: failure.timestamp)
    found = [
        described(failure.exitcode, failure.error_file_data or None, ranks.get(id(failure), failure.local_rank))
        for failure in ordered
    ]
    causes = [failure for failure in found if failure.reason != "PeerFailed"]
    return (causes or found)[0]
