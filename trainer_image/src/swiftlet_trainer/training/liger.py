"""Liger's kernels for what architectures write as many small operators: norms, rotary embeddings, activations.

On a GPU each operator reads and writes all hidden states; a kernel does so once (Hsu et al. 2024, arXiv:2410.10989).
"""

from typing import Any


def use_liger(model: Any) -> bool:
    """Have Liger's kernels compute `model`, if it knows the architecture; whether they do.

    model: not yet wrapped, its weights whole, on a GPU. The loss stays ours. What is replaced cannot be put back.
    """
    from liger_kernel.transformers.monkey_patch import MODEL_TYPE_TO_APPLY_LIGER_FN, _apply_liger_kernel_to_instance

    if model.config.model_type not in MODEL_TYPE_TO_APPLY_LIGER_FN:
        return False
    # What transformers' Trainer calls for use_liger_kernel.
    _apply_liger_kernel_to_instance(model=model, cross_entropy=False, fused_linear_cross_entropy=False)
    return True
