"""transformers' TrainingArguments from a job document."""

import os
from pathlib import Path
from typing import Any

from swiftlet.wire.documents import TrainDocument


def training_arguments(
    document: TrainDocument,
    total_steps: int,
    bf16: bool,
    world_size: int,
    deepspeed: dict[str, Any] | None,
    folder: Path,
    data_workers: int,
) -> Any:
    """TrainingArguments of one process. What our trainer decides itself (rows, reports, saving) is switched off."""
    from transformers import TrainingArguments

    training = document.training
    # Trainer prints and hub calls have no place in a pod.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Pods have its address for scripts of others; ours reports itself, and knows a stop from an end.
    os.environ["DISABLE_KUBEFLOW_INTEGRATION"] = "TRUE"
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=total_steps,
        per_device_train_batch_size=document.per_device_batch_size,
        gradient_accumulation_steps=document.gradient_accumulation_steps,
        learning_rate=training.learning_rate,
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        gradient_checkpointing=training.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if training.gradient_checkpointing else None,
        seed=training.seed,
        use_cpu=not document.use_gpu,
        ddp_backend=("nccl" if document.use_gpu else "gloo") if world_size > 1 else None,
        ddp_find_unused_parameters=False,
        # Weights are loaded in bf16 and computed in bf16: no autocast. DeepSpeed wants to be told the same twice.
        bf16=bf16 and deepspeed is not None,
        deepspeed=deepspeed,
        save_strategy="no",
        eval_strategy="no",
        logging_strategy="no",
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        log_level="warning",
        remove_unused_columns=False,
        dataloader_num_workers=data_workers,
        dataloader_pin_memory=document.use_gpu,
    )
