"""How a FineTuneJob optimises."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swiftlet.api.base import ApiModel, Positive, Rule, one_of
from swiftlet.api.v1alpha1.tracking import ReportTo

Precision = Literal["auto", "fp32", "bf16"]


class Training(ApiModel):
    """The optimisation. Names follow transformers' TrainingArguments."""

    rules: ClassVar[tuple[Rule, ...]] = (
        one_of("epochs", "maxSteps", required=False),
        Rule(
            "!has(self.perDeviceBatchSize) || self.globalBatchSize % self.perDeviceBatchSize == 0",
            "globalBatchSize must be a multiple of perDeviceBatchSize",
            "globalBatchSize",
        ),
    )

    epochs: Annotated[float, Field(gt=0, le=10000)] | None = Field(
        None, description="Passes over the data; 3 when neither epochs nor maxSteps is set."
    )
    max_steps: Positive | None = Field(None, description="Optimizer steps, instead of epochs.")
    global_batch_size: Annotated[int, Field(ge=1, le=65536)] = Field(
        8, description="Rows (or packed sequences) per optimizer step over all processes; the plan finds accumulation."
    )
    per_device_batch_size: Annotated[int, Field(ge=1, le=4096)] | None = Field(
        None, description="Rows per process and forward pass; chosen by the plan when absent."
    )
    learning_rate: Annotated[float, Field(gt=0, le=1)] = Field(1e-4, description="Peak learning rate.")
    lr_scheduler: Literal["linear", "cosine", "constant"] = Field("cosine", description="Shape after warm-up.")
    warmup_ratio: Annotated[float, Field(ge=0, le=1)] = Field(0.03, description="Share of the steps spent warming up.")
    optimizer: Literal["adamw", "adafactor"] = Field("adamw", description="AdamW (arXiv:1711.05101) or Adafactor.")
    weight_decay: Annotated[float, Field(ge=0, le=1)] = Field(0.0, description="Decoupled weight decay.")
    max_grad_norm: Annotated[float, Field(ge=0, le=1000)] = Field(
        1.0, description="Clip gradients to this norm; 0 is off."
    )
    precision: Precision = Field(
        "auto", description="bf16 where the hardware multiplies it, else fp32; trained weights keep an fp32 copy."
    )
    gradient_checkpointing: bool = Field(False, description="Recompute activations to save memory.")
    torch_compile: bool = Field(False, description="Compile the layers with torch.compile.")
    use_liger_kernel: bool | None = Field(
        None,
        description="Liger's kernels for norms, rotary embeddings and activations; when absent, on a GPU.",
    )
    dataloader_num_workers: Annotated[int, Field(ge=0, le=64)] | None = Field(
        None,
        description="Processes beside each training process that put batches together ahead of the step; when absent, "
        "one on a GPU and none on a CPU.",
    )
    neftune_noise_alpha: Annotated[float, Field(gt=0, le=1000)] | None = Field(
        None,
        description="Noise on the embeddings of rows while they are learnt, such as 5 (NEFTune, arXiv:2310.05914).",
    )
    seed: Annotated[int, Field(ge=0, le=4294967295)] = Field(42, description="Seed of order, dropout and new weights.")
    logging_steps: Positive = Field(1, description="Steps between two progress reports.")
    token_metrics: bool = Field(
        False, description="Report entropy and top-1 accuracy with the loss; both come from the loss's own pass."
    )
    report_to: ReportTo | None = Field(None, description="Experiment trackers that get the figures too.")
    eval_fraction: Annotated[float, Field(ge=0, le=0.5)] = Field(
        0.0, description="Share of the training rows held out to report a loss on."
    )
