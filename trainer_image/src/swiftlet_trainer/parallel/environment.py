"""torchrun's environment: which node this pod is, and which process this is."""

from collections.abc import Mapping
from dataclasses import dataclass

from swiftlet_trainer.failures import InvalidInput

WORKER = "swiftlet_trainer.training.worker"
"""The module that each training process runs."""


@dataclass(frozen=True)
class NodeEnvironment:
    """What the PET_* variables of a pod say. Source: torch.distributed.run."""

    nodes: int = 1
    processes_per_node: int = 1
    node_rank: int = 0
    master_address: str = "127.0.0.1"
    master_port: int = 0

    @staticmethod
    def read(environment: Mapping[str, str], processes_per_node: int) -> "NodeEnvironment":
        """Raises InvalidInput with every wrong variable. processes_per_node: when PET_NPROC_PER_NODE is absent."""
        problems: list[str] = []

        def number(name: str, default: int) -> int:
            text = environment.get(name, str(default))
            if text.isdigit():
                return int(text)
            problems.append(f"{name}: {text!r} is not a whole number; unset it or set it as torchrun does")
            return default

        found = NodeEnvironment(
            nodes=number("PET_NNODES", 1),
            processes_per_node=number("PET_NPROC_PER_NODE", processes_per_node),
            node_rank=number("PET_NODE_RANK", 0),
            master_address=environment.get("PET_MASTER_ADDR", "127.0.0.1"),
            master_port=number("PET_MASTER_PORT", 0),
        )
        if found.nodes > 1 and not ("PET_MASTER_ADDR" in environment and found.master_port):
            problems.append(f"PET_NNODES is {found.nodes}, so PET_MASTER_ADDR and PET_MASTER_PORT must be set")
        if found.node_rank >= found.nodes:
            problems.append(f"PET_NODE_RANK: {found.node_rank} must be below PET_NNODES, which is {found.nodes}")
        if problems:
            raise InvalidInput(problems)
        return found


@dataclass(frozen=True)
class ProcessEnvironment:
    """Which of the training processes this is."""

    rank: int
    local_rank: int
    world_size: int
    processes_here: int

    @staticmethod
    def read(environment: Mapping[str, str]) -> "ProcessEnvironment":
        """What torchrun set; a process that it did not start is the only one."""
        return ProcessEnvironment(
            rank=int(environment.get("RANK", 0)),
            local_rank=int(environment.get("LOCAL_RANK", 0)),
            world_size=int(environment.get("WORLD_SIZE", 1)),
            processes_here=int(environment.get("LOCAL_WORLD_SIZE", 1)),
        )
