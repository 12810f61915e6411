"""Whole weights of a trained model, gathered from all processes."""

from typing import Any


def gathered_weights(trainer: Any) -> dict[str, Any] | None:
    """The state dict to save, where the processes hold parts of it (ZeRO-3); else None. Call on every rank."""
    if not trainer.is_deepspeed_enabled:
        return None
    from peft import PeftModel

    engine = trainer.model_wrapped
    if engine.zero_optimization_stage() == 3:
        adapter = isinstance(trainer.model, PeftModel)
        weights: dict[str, Any] = engine._zero3_consolidated_16bit_state_dict(exclude_frozen_parameters=adapter)
        return weights
    return None
