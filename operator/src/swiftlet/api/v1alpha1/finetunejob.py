"""FineTuneJob: one training run, from a model and data sets to an artifact."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swiftlet.api.base import (
    MOST_CHARACTERS,
    ApiModel,
    Column,
    Positive,
    Resource,
    Rule,
    immutable,
    immutable_but,
    unchanged,
)
from swiftlet.api.v1alpha1.agents import AgentTemplateName, agents_talk
from swiftlet.api.v1alpha1.backends import BackendName
from swiftlet.api.v1alpha1.compute import Compute
from swiftlet.api.v1alpha1.dataset import Dataset
from swiftlet.api.v1alpha1.export import Export
from swiftlet.api.v1alpha1.finetunejob_status import FineTuneJobStatus
from swiftlet.api.v1alpha1.loss_scale import JOB_RULES, TEMPLATE_RULES, LossScale, LossScaleRules
from swiftlet.api.v1alpha1.model_source import ModelSource, not_from_itself
from swiftlet.api.v1alpha1.queue import Queue
from swiftlet.api.v1alpha1.tasks import Task, job_rules, tasks_with_own_rows
from swiftlet.api.v1alpha1.training import Training
from swiftlet.api.v1alpha1.tuner import Lora, Tuner, same_tuner
from swiftlet.api.v1alpha1.uris import CHECKPOINT_FORMS_MARKED, CheckpointUri

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
    uri: CheckpointUri | None = Field(
        None,
        description=f"{CHECKPOINT_FORMS_MARKED}, where copies of them are kept: an attempt that finds newer ones there"
        " than on the artifacts volume goes on from these.",
    )


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
        *immutable("model", "datasets", "task", "template", "parallelism", "checkpoints", "export"),
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
        _not_with_zero3("useLigerKernel", "shards weights, on which these kernels have not been tried"),
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
    export: Export | None = None
    compute: Compute = Field(default_factory=Compute)
    queue: Queue | None = Field(
        None,
        description="Queue of Kueue to wait in for quota, pods of all nodes together. Another one counts from when no"
        " pod works on the run.",
    )
    backend: BackendName | None = Field(
        None,
        description="What an attempt is made as: a Job, or a JobSet where it is installed. As the ComputeProfile says"
        " when absent, else job. A change is for the next attempt.",
    )
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
