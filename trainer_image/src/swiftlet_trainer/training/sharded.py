"""DeepSpeed ZeRO: processes hold parts of the optimizer's state, of the gradients and of the weights."""

from pathlib import Path
from typing import Any

import torch
from swiftlet.api.v1alpha1.training import Training

from swiftlet_trainer.training.optimizer import build_optimizer

NEVER = 1 << 62


class Sharded:
    """An Engine on DeepSpeed's, which clips gradients as its own settings say."""

    def __init__(self, model: Any, config: dict[str, Any], training: Training, master_weights: bool) -> None:
        """config: see parallel.strategy.deepspeed_config."""
        import deepspeed

        self.model = model
        optimizer = build_optimizer(model, training, master_weights)
        settings = {**config, "steps_per_print": NEVER}
        self.wrapped, self._optimizer, *_ = deepspeed.initialize(model=model, optimizer=optimizer, config=settings)

    def backward(self, loss: torch.Tensor, last: bool) -> None:
        self.wrapped.set_gradient_accumulation_boundary(last)
        self.wrapped.backward(loss, scale_wrt_gas=False)

    def update(self, learning_rate: float) -> torch.Tensor | float:
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self.wrapped.step()
        norm: torch.Tensor | float | None = self.wrapped.get_global_grad_norm()
        return 0.0 if norm is None else norm

    def save(self, folder: Path, is_main: bool) -> None:
        self.wrapped.save_checkpoint(str(folder), exclude_frozen_parameters=self._is_adapted)

    def load(self, folder: Path) -> None:
        found, _ = self.wrapped.load_checkpoint(str(folder), load_module_strict=not self._is_adapted)
        if found is None:
            raise RuntimeError(f"{folder}: DeepSpeed finds no checkpoint there")

    @property
    def _is_adapted(self) -> bool:
        from peft import PeftModel

        return isinstance(self.model, PeftModel)

    def gathered(self) -> dict[str, Any] | None:
        if self.wrapped.zero_optimization_stage() < 3:  # weights are whole
            return None
        weights: dict[str, Any] = self.wrapped._zero3_consolidated_16bit_state_dict(
            exclude_frozen_parameters=self._is_adapted
        )
        return weights
