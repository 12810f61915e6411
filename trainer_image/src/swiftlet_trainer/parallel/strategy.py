"""Strategies: plain data parallel, or DeepSpeed ZeRO stage 1 to 3 (Rajbhandari et al. 2019, arXiv:1910.02054)."""

import os
from typing import Any

from swiftlet.wire.documents import TrainDocument

ZERO_STAGES = {"zero1": 1, "zero2": 2, "zero3": 3}
BUCKET_ELEMENTS = 50_000_000
"""Gradients reduced at once: 100 MB of bf16."""

FP32_GRADIENTS = {"communication_data_type": "fp32", "data_types": {"grad_accum_dtype": "fp32"}}
"""Adapters' gradients are summed over micro-batches and processes in fp32: twice the bytes of very little.

DeepSpeed sums in the weights' precision unless it is told both. Gradients of all weights stay at that, since there the
bytes are what a step waits for.
"""


def zero_stage(strategy: str) -> int:
    """0 for ddp."""
    return ZERO_STAGES.get(strategy, 0)


def deepspeed_config(document: TrainDocument, world_size: int, bf16: bool) -> dict[str, Any] | None:
    """DeepSpeed's settings for the document's strategy; None for ddp."""
    stage = zero_stage(document.strategy)
    if not stage:
        return None
    per_device, accumulation = document.per_device_batch_size, document.gradient_accumulation_steps
    return {
        "train_micro_batch_size_per_gpu": per_device,
        "gradient_accumulation_steps": accumulation,
        "train_batch_size": per_device * accumulation * world_size,
        "gradient_clipping": document.training.max_grad_norm,
        "bf16": {"enabled": bf16},
        **(FP32_GRADIENTS if document.tuner.lora else {}),
        "zero_allow_untested_optimizer": True,
        "zero_optimization": {
            "stage": stage,
            "contiguous_gradients": True,
            # Streams exist on CUDA only.
            "overlap_comm": document.use_gpu,
            "reduce_bucket_size": BUCKET_ELEMENTS,
            "allgather_bucket_size": BUCKET_ELEMENTS,
            "stage3_gather_16bit_weights_on_model_save": True,
        },
    }


def sharded_from_now_on(document: TrainDocument, world_size: int, bf16: bool) -> Any:
    """DeepSpeed's settings, None for ddp. Under ZeRO-3, transformers shards every model that it loads as long as this
    object lives."""
    config = deepspeed_config(document, world_size, bf16)
    if config is None:
        return None
    from transformers.integrations import HfDeepSpeedConfig

    return HfDeepSpeedConfig(config)


def join_processes(use_gpu: bool, local_rank: int, with_deepspeed: bool) -> None:
    """Join the run's process group; before the model is loaded, since ZeRO-3 shards it while it loads."""
    import torch
    import torch.distributed as dist

    if use_gpu:
        torch.cuda.set_device(local_rank)
    dist.init_process_group("nccl" if use_gpu else "gloo")
    if with_deepspeed:
        join_deepspeed(use_gpu)


def join_deepspeed(use_gpu: bool) -> None:
    """Tell DeepSpeed of the process group that exists."""
    if not use_gpu:
        os.environ["DS_ACCELERATOR"] = "cpu"
    import deepspeed

    # Its shared-memory reduction is compiled with a C++ compiler on first use, a minute that gloo does not need.
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed("nccl" if use_gpu else "gloo", verbose=False)
    _import_muon()


def _import_muon() -> None:
    """Import an optimizer that every engine asks for, to see that it is not the one, without what its kernels are
    compiled with: 3 s of each process. Source: deepspeed.runtime.zero.utils.is_zero_supported_optimizer."""
    import torch

    compiling, torch.compile = torch.compile, lambda function: function  # type: ignore[assignment]
    try:
        import deepspeed.runtime.zero.muon.muon_optimizer  # noqa: F401
    finally:
        torch.compile = compiling


def leave_deepspeed_out() -> None:
    """Keep accelerate from importing DeepSpeed in a run that does not use it: 1.4 s before the first step."""
    from accelerate.utils import other

    other.is_deepspeed_available = lambda: False
