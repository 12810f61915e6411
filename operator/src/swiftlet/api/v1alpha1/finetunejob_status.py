"""What a FineTuneJob tells of its run."""

from pydantic import Field

from swiftlet.api.base import ApiModel, Condition
from swiftlet.api.v1alpha1.model_source import Ancestor
from swiftlet.api.v1alpha1.progress import Progress
from swiftlet.storage.artifacts import ARTIFACT_FORM


class PlanStatus(ApiModel):
    """What the plan decided."""

    world_size: int = Field(description="Processes in all.")
    strategy: str = Field(description="ddp, zero1, zero2 or zero3.")
    gradient_accumulation_steps: int = Field(description="Forward passes per optimizer step.")
    per_device_batch_size: int = Field(description="Rows (or packed sequences) per process and forward pass.")


class DatasetCounts(ApiModel):
    """What became of the rows."""

    read: int = Field(0, description="Rows in the files.")
    used: int = Field(0, description="Rows that are trained on.")
    eval_rows: int = Field(0, description="Rows that a loss is reported on.")
    tokens: int = Field(0, description="Tokens of the rows that are trained on.")
    dropped: dict[str, int] = Field(default_factory=dict, description="Rows left out, by reason.")


class Artifact(ApiModel):
    """What a run left behind."""

    uri: str = Field(description=f"`{ARTIFACT_FORM}` of the folder, or where spec.export has it.")
    digest: str = Field(description="`sha256:` digest of the manifest.")
    type: str = Field("adapter", description="adapter or model.")
    base_model: str = Field("", description="URI of the model that it was made from.")
    base_digest: str = Field("", description="Digest of the base model's weights, whatever it was called.")
    final_loss: str | None = Field(None, description="Loss of the last step, in nats per token.")
    steps: int = Field(0, description="Optimizer steps that it took.")
    weight_bytes: int | None = Field(
        None, description="Bytes of weights that loading it reads, its base model's included."
    )


class Failure(ApiModel):
    """The first cause of a failure."""

    reason: str = Field(description="One word in CamelCase.")
    message: str = Field("", description="What happened, and the next step.")
    rank: int | None = Field(None, description="First rank that failed.")
    pod: str | None = Field(None, description="Pod that failed.")
    node: str | None = Field(None, description="Node that the pod ran on.")
    exit_code: int | None = Field(None, description="Of the process that failed first.")
    traceback: str | None = Field(None, description="Its last lines.")


class Restarts(ApiModel):
    """Restarts so far, by cause."""

    user: int = Field(0, description="After a failure of the run; these count against backoffLimit.")
    infrastructure: int = Field(0, description="After a pod was taken away: evicted, preempted, deleted, lost.")
    infrastructure_recent: int | None = Field(
        None, description="Those of them that count against infrastructureRestartLimit, when there are any."
    )


class FineTuneJobStatus(ApiModel):
    """What was observed."""

    observed_generation: int | None = Field(None, description="Generation of the spec that this was observed for.")
    conditions: list[Condition] = Field(default_factory=list, description="What holds, and why; by type.")
    plan: PlanStatus | None = Field(None, description="What the plan decided.")
    progress: Progress | None = None
    dataset: DatasetCounts | None = None
    restarts: Restarts | None = None
    artifact: Artifact | None = None
    lineage: list[Ancestor] = Field(
        default_factory=list,
        description="What the model has come from, newest first: the artifact that spec.model.fineTuneJobRef had when"
        " the run began, and what that was made from.",
    )
    failure: Failure | None = None
    last_lines: str | None = Field(
        None,
        description="What a run that ended well said of itself last, at most 1,000 characters: its pods and their logs"
        " may be gone. What libraries wrote is not among it.",
    )
    start_time: str | None = Field(None, description="When the first pod was made; RFC 3339.")
    active_seconds: int | None = Field(
        None, description="Seconds that attempts ran until the present stretch; these count against the deadline."
    )
    active_since: str | None = Field(None, description="When the present stretch of an attempt began; RFC 3339.")
    completion_time: str | None = Field(None, description="When it ended; RFC 3339.")
