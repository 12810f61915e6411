"""What the processes of a run agree on."""

from dataclasses import dataclass

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class Peers:
    """The processes of a run, as one of them sees them. All of them call the methods, in the same order."""

    rank: int
    world_size: int
    device: torch.device
    """That this process computes on."""

    def summed(self, tensor: torch.Tensor) -> torch.Tensor:
        """The sum of what each of them has; on `device`, and in place where it is there."""
        tensor = tensor.to(self.device)
        if self.world_size > 1:
            dist.all_reduce(tensor)
        return tensor

    def any(self, holds: bool) -> bool:
        """Whether it holds on any of them."""
        return bool(self.summed(torch.tensor(float(holds))) > 0)

    def wait(self) -> None:
        """Until all of them are here."""
        if self.world_size > 1:
            dist.barrier()
