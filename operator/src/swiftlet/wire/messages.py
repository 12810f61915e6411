"""What a pod tells the control plane: a progress stream while it runs and a termination message when it ends.

Environment of every pod:
    SWIFTLET_ROOT            prefix of every path of the job document; absent or `/` in a container
    SWIFTLET_PROGRESS_FILE   where progress events are appended, one JSON object per line
    SWIFTLET_BIND_HOST       address that servers bind; absent means 0.0.0.0
    POD_NAME, POD_NAMESPACE  who the pod is
    SWIFTLET_WIRE_VERSION    version of messages that the control plane reads (wire/version.py); absent means 1.0
    SWIFTLET_PROGRESS_URL    where progress events are also posted, as a JSON array; absent under the local engine
    SWIFTLET_PROGRESS_TOKEN  file with the token that such a post carries; the kubelet renews it
Training pods also get torchrun's own variables (PET_NNODES, PET_NPROC_PER_NODE, PET_NODE_RANK, PET_MASTER_ADDR,
PET_MASTER_PORT; source: torch.distributed.run).
"""

from typing import Annotated, Literal

from pydantic import Field

from swiftlet.api.base import ApiModel
from swiftlet.api.v1alpha1.evalrun import Comparison, Measured, Report, Result
from swiftlet.api.v1alpha1.finetunejob_status import Artifact, DatasetCounts, Failure
from swiftlet.api.v1alpha1.progress import Progress
from swiftlet.wire.figures import FigureTable
from swiftlet.wire.version import Since, Wire

PROGRESS_AUDIENCE = "swiftlet-operator"
"""Audience of the ServiceAccount token that pods report with: it is good for nothing else."""
PROGRESS_BODY_LIMIT = 65536
"""Bytes of one progress report."""
PROGRESS_EVENTS_LIMIT = 100
"""Events of one progress report."""
PROGRESS_INTERVAL_FIELD = "intervalSeconds"
"""Of the answer to a report: how often the operator would like to hear figures."""

TERMINATION_LOG = "/dev/termination-log"
TERMINATION_LIMIT = 4096
"""Bytes of a termination message that the kubelet keeps. Source: kubernetes.io, container termination messages."""

EXIT_OK = 0
EXIT_ERROR = 1
"""A failure that may pass: the run is restarted within its backoffLimit."""
EXIT_INVALID = 2
"""Bad input (document, data, model, adapter). Never retried."""
EXIT_DIVERGED = 3
"""The loss, or the logits of a model that is evaluated, became NaN or infinite. Never retried."""
EXIT_TERMINATED = 143
"""Stopped by SIGTERM after a checkpoint. Retried without counting against backoffLimit."""

NEVER_RETRIED = (EXIT_INVALID, EXIT_DIVERGED)


class Compilation(ApiModel):
    """What became of torch.compile in a run that asked for it."""

    reason: Literal["Compiled", "CompileFailed"]
    message: str


class Tracking(ApiModel):
    """What became of reporting to an experiment tracker (training.reportTo)."""

    tracker: str
    reason: Literal["Reporting", "TrackerFailed"]
    message: str = Field(description="Where the run is shown, or why it is not.")


class ProgressEvent(Wire, Progress):
    """One line of the progress stream: the fields of Progress plus when and what.

    type `progress`: figures of a step. `phase`: message says what is going on. `dataset`: counts of rows.
    `checkpoint`: step that was saved. `serving`: engine that runs, why when it is not the one asked for, how the
    weights are quantized, and what it does with texts.
    `compile`: whether the layers were compiled. `tracking`: what became of one experiment tracker.
    """

    time: str = Field(description="RFC 3339, UTC.")
    type: Literal["progress", "phase", "dataset", "checkpoint", "serving", "compile", "tracking"] = "progress"
    dataset: DatasetCounts | None = None
    engine: str | None = None
    reason: str | None = None
    quantization: Annotated[str | None, Since("1.1")] = None
    task: Annotated[str | None, Since("1.1")] = None
    compilation: Compilation | None = None
    tracking: Annotated[Tracking | None, Since("1.1")] = None


class TerminationMessage(Wire):
    """The JSON that a pod leaves in its termination log. The control plane reads results from nowhere else."""

    failure: Failure | None = Field(None, description="Set when the exit code is not 0.")
    dataset: DatasetCounts | None = None
    artifact: Artifact | None = Field(None, description="Training: what was written.")
    progress: Progress | None = Field(None, description="Training: the last figures.")
    results: list[Result] = Field(default_factory=list, description="Evaluation.")
    comparison: list[Comparison] = Field(default_factory=list)
    report: Report | None = None
    figures: Annotated[FigureTable | None, Since("1.1")] = Field(
        None, description="Results and comparisons, in place of both where they would not fit."
    )
    truncated: Annotated[list[Literal["comparison", "results"]], Since("1.1")] = Field(
        default_factory=list, description="What of the figures did not fit even so; the report has it."
    )
    measured: Annotated[Measured | None, Since("1.1")] = Field(
        None, description="Evaluation: which bytes the figures are about."
    )
    last_lines: Annotated[str | None, Since("1.1")] = Field(
        None, description="The last lines that the work wrote about itself, as far as there is room for them."
    )
