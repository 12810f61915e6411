"""Plain data parallelism: every process has the whole model, and gradients are averaged."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from swiftlet.api.v1alpha1.training import Training

from swiftlet_trainer.models.saving import load_trained, save_trained
from swiftlet_trainer.parallel.peers import Peers
from swiftlet_trainer.training.optimizer import MasterWeights, build_optimizer, clip_gradients

OPTIMIZER_FILE = "optimizer.pt"


class Replicated:
    """An Engine on PyTorch's DistributedDataParallel; on one process, without it."""

    def __init__(self, model: Any, peers: Peers, training: Training, master_weights: bool) -> None:
        self.model = model.to(peers.device)
        self._peers, self._max_grad_norm = peers, training.max_grad_norm
        self._optimizer = build_optimizer(self.model, training, master_weights)
        self._masters = self._optimizer if isinstance(self._optimizer, MasterWeights) else None
        self.wrapped = self.model if peers.world_size == 1 else _distributed(self.model, peers.device)

    def backward(self, loss: torch.Tensor, last: bool) -> None:
        # DDP would sum micro-batches and processes in bf16, where 64 additions lose a hundredth: the masters do it.
        alone = self._peers.world_size > 1 and (self._masters or not last)
        with self.wrapped.no_sync() if alone else nullcontext():
            loss.backward()
        if self._masters:
            self._masters.absorb_gradients()

    def update(self, learning_rate: float) -> torch.Tensor:
        if self._masters and self._peers.world_size > 1:
            self._masters.average_gradients()
        norm = clip_gradients(self._trained(), self._max_grad_norm)
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self._optimizer.step()
        self._optimizer.zero_grad()
        return norm

    def _trained(self) -> list[torch.Tensor]:
        """What has the gradients of the step."""
        if self._masters:
            return self._masters.masters
        return [parameter for group in self._optimizer.param_groups for parameter in group["params"]]

    def save(self, folder: Path, is_main: bool) -> None:
        if is_main:
            save_trained(self.model, folder)
            torch.save(self._optimizer.state_dict(), folder / OPTIMIZER_FILE)

    def load(self, folder: Path) -> None:
        load_trained(self.model, folder)
        # Into main memory first: the optimizer puts each part where its weight is.
        self._optimizer.load_state_dict(torch.load(folder / OPTIMIZER_FILE, map_location="cpu", weights_only=True))

    def gathered(self) -> None:
        return None


def _distributed(model: Any, device: torch.device) -> Any:
    """Buffers are computed from the configuration, alike everywhere: none is sent around."""
    from torch.nn.parallel import DistributedDataParallel

    return DistributedDataParallel(
        model, device_ids=[device] if device.type == "cuda" else None, broadcast_buffers=False
    )
