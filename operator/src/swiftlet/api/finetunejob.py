"""FineTuneJob: one training run, from a model and data sets to an artifact."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swiftlet.api.agents import AgentTemplateName, agents_talk
from swiftlet.api.base import (
    MOST_CHARACTERS,
    ApiModel,
    Column,
    Condition,
    Positive,
    Resource,
    Rule,
    immutable,
    immutable_but,
    unchanged,
)
from swiftlet.api.compute import Compute
from swiftlet.api.dataset import Dataset
from swiftlet.api.loss_scale import JOB_RULES, TEMPLATE_RULES, LossScale, LossScaleRules
from swiftlet.api.model_source import Ancestor, ModelSource, not_from_itself
from swiftlet.api.progress import Progress
from swiftlet.api.tasks import Task, job_rules, tasks_with_own_rows
from swiftlet.api.training import Training
from swiftlet.api.tuner import Lora, Tuner, same_tuner
from swiftlet.storage.artifacts import ARTIFACT_FORM

Strategy = Literal["auto", "ddp", "zero1", "zero2", "zero3"]


class Template(ApiModel):
    """How a row becomes tokens. The model's own chat template always writes the turns."""

    rules: ClassVar[tuple[Rule, ...]] = TEMPLATE_RULES

    system: Annotated[str, Field(max_length=8192)] | None = Field(
        None, description="System message for rows that have none."
    )
    agent_template: AgentTemplateName | None = Field(
        None,
        description="How tools, calls of them and results are written into turns (agent-templates.md); as the model's"
        " own chat template does when absent.",
    )
    max_length: Annotated[int, Field(ge=8, le=1048576)] = Field(1024, description="Longest row, in tokens.")
    truncation: Literal["drop", "truncate", "fail"] = Field(
        "drop",
        description="Rows over maxLength: drop and count them (plain texts are split and nothing is dropped), cut their"
        " end, or fail the run.",
    )
    packing: bool = Field(
        False, description="Put several rows into one sequence of maxLength; rows do not see each other."
    )
    loss_scale: LossScale | None = Field(
        None,
        description="How much tokens count in the loss of task sft, as ms-swift writes it, chained by + or as a list: a"
        " base (default: answers; last_round; all) and rules whose weights multiply. Answers alone, 1 each, when"
        " absent.",
    )
    loss_scale_rules: LossScaleRules | None = Field(
        None, description="Rules of your own for lossScale, by name: the text of a file in ms-swift's JSON form."
    )


class Parallelism(ApiModel):
    """How the run spreads over processes."""

    nodes: Annotated[int, Field(ge=1, le=1024)] = Field(1, description="Pods.")
    processes_per_node: Annotated[int, Field(ge=1, le=64)] | None = Field(
        None, description="Processes per pod; one per GPU, or one on a CPU, when absent."
    )
    strategy: Strategy = Field(
        "auto",
        description="Data parallel or DeepSpeed ZeRO stage (arXiv:1910.02054); auto: ddp on one process, else zero2.",
    )


class Checkpoints(ApiModel):
    """What survives a restart."""

    interval_steps: Positive = Field(50, description="Steps between two checkpoints.")
    keep: Annotated[int, Field(ge=1, le=1000)] = Field(2, description="Newest checkpoints to keep.")


def _not_with_zero3(name: str, why: str) -> Rule:
    return Rule(
        f"!has(self.training) || !has(self.training.{name}) || !self.training.{name} || "
        "!has(self.parallelism) || !has(self.parallelism.strategy) || self.parallelism.strategy != 'zero3'",
        f"{name} cannot be combined with strategy zero3, which {why}",
        "training",
    )


def _format_of_task() -> Rule:
    own = tasks_with_own_rows()
    compared = {one: " || ".join(f"has(self.task.{task})" for task in tasks) for one, tasks in own.items()}
    chosen = "".join(f"d.format == '{one}' ? ({tasks}) : " for one, tasks in compared.items())
    words = "; ".join(f"{one} is what {', '.join(tasks)} learn from" for one, tasks in own.items())
    return Rule(
        "!has(self.task) || self.datasets.all(d, !has(d.format) || d.format == 'auto' || "
        f"({chosen}!({' || '.join(compared.values())})))",
        f"format {words}; and they from no others: use auto",
        "datasets",
    )


CHANGEABLE = {"training": ("perDeviceBatchSize", "gradientCheckpointing"), "compute": ("resources",)}
"""What may be changed between two attempts: none of it changes what is learnt, and each is a way out of too little
memory. The next attempt goes on from the checkpoint."""


def _only_between_attempts() -> Rule:
    """Running is False when no container works on the run, and absent before the first attempt."""
    paths = [f"{part}.{name}" for part, names in CHANGEABLE.items() for name in names]
    parts = " && ".join(f"has(self.spec.{part}) && has(oldSelf.spec.{part})" for part in CHANGEABLE)
    same = " && ".join(f"({unchanged(f'spec.{path}')})" for path in paths)
    return Rule(
        "!has(oldSelf.status) || !has(oldSelf.status.conditions)"
        " || !oldSelf.status.conditions.exists(x, x.type == 'Running' && x.status != 'False')"
        f" || !({parts}) || ({same})",
        f"{', '.join(paths)} cannot be changed while an attempt runs: set suspend to true, change them when the"
        " condition Suspended is True, then set suspend to false; the run goes on from its checkpoint",
        "spec",
    )


class FineTuneJobSpec(ApiModel):
    """What to train."""

    rules: ClassVar[tuple[Rule, ...]] = (
        *immutable("model", "datasets", "task", "template", "parallelism", "checkpoints"),
        same_tuner(),
        immutable_but("training", Training, *CHANGEABLE["training"]),
        immutable_but("compute", Compute, *CHANGEABLE["compute"]),
        Rule(
            "self.datasets.exists(d, !has(d.split) || d.split == 'train')",
            "at least one data set must have split: train",
            "datasets",
        ),
        Rule(
            "self.datasets.map(d, has(d.placeholders)"
            " ? d.placeholders.map(k, k.size() + d.placeholders[k].size()).sum() : 0).sum()"
            f" <= {MOST_CHARACTERS}",
            f"placeholders of all datasets may have {MOST_CHARACTERS} characters together, names included; put long"
            " texts into the rows",
            "datasets",
        ),
        _format_of_task(),
        *job_rules(),
        *JOB_RULES,
        agents_talk(),
        _not_with_zero3("torchCompile", "gathers weights while layers run"),
        _not_with_zero3("useLigerKernel", "shards weights before it can be tried whether the model means the same"),
    )

    model: ModelSource
    datasets: Annotated[list[Dataset], Field(min_length=1, max_length=64)] = Field(
        description="What to learn from, and what to report a loss on."
    )
    task: Task = Field(default_factory=Task.default)
    tuner: Tuner | None = Field(
        None, description="lora when absent; in a run that trains an adapter further, as that adapter is."
    )
    template: Template = Field(default_factory=Template)
    training: Training = Field(default_factory=Training)
    parallelism: Parallelism = Field(default_factory=Parallelism)
    checkpoints: Checkpoints = Field(default_factory=Checkpoints)
    compute: Compute = Field(default_factory=Compute)
    suspend: bool = Field(False, description="Stop the pods after a checkpoint; false resumes from it.")
    backoff_limit: Annotated[int, Field(ge=0, le=100)] = Field(
        2, description="Restarts of the whole run after a failure, before it is Failed. Bad input is never retried."
    )
    infrastructure_restart_limit: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        None,
        description="Restarts after pods were evicted, preempted or deleted, before the run is Failed; 10 when absent."
        " Each 10 minutes that an attempt ran make up for one.",
    )
    active_deadline_seconds: Positive | None = Field(
        None, description="Fail the run when its attempts take longer than this together."
    )

    @property
    def own_tuner(self) -> Tuner:
        """What is trained where nothing is taken over from another job's adapter."""
        return self.tuner or Tuner(lora=Lora())


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

    uri: str = Field(description=f"`{ARTIFACT_FORM}` of the folder.")
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
    start_time: str | None = Field(None, description="When the first pod was made; RFC 3339.")
    active_seconds: int | None = Field(
        None, description="Seconds that attempts ran until the present stretch; these count against the deadline."
    )
    active_since: str | None = Field(None, description="When the present stretch of an attempt began; RFC 3339.")
    completion_time: str | None = Field(None, description="When it ended; RFC 3339.")


class FineTuneJob(Resource):
    """One training run: model + data sets + tuner → artifact."""

    rules: ClassVar[tuple[Rule, ...]] = (_only_between_attempts(), not_from_itself())
    kind_name: ClassVar[str] = "FineTuneJob"
    plural: ClassVar[str] = "finetunejobs"
    short_name: ClassVar[str] = "ftj"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Succeeded", '.status.conditions[?(@.type=="Succeeded")].status'),
        Column("Reason", '.status.conditions[?(@.type=="Succeeded")].reason'),
        Column("Step", ".status.progress.step", "integer"),
        Column("Total", ".status.progress.totalSteps", "integer"),
        Column("Loss", ".status.progress.loss"),
        Column("Tokens/s", ".status.progress.tokensPerSecond"),
        Column("ETA(s)", ".status.progress.etaSeconds", "integer", wide=True),
        Column("Model", ".spec.model.uri", wide=True),
        Column("From", ".spec.model.fineTuneJobRef.name", wide=True),
        Column("Artifact", ".status.artifact.digest", wide=True),
        Column("Age", ".metadata.creationTimestamp", "date"),
    )

    kind: Literal["FineTuneJob"] = "FineTuneJob"
    spec: FineTuneJobSpec
    status: FineTuneJobStatus | None = None
