"""EvalRun: one evaluation of a model, beside a baseline, with gates."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swiftlet.api.base import (
    MOST_CHARACTERS,
    ApiModel,
    Column,
    Condition,
    DnsLabel,
    NamedRef,
    Positive,
    Resource,
    Rule,
    immutable,
    immutable_but,
    one_of,
)
from swiftlet.api.v1alpha1.compute import Compute
from swiftlet.api.v1alpha1.finetunejob_status import Failure, Restarts
from swiftlet.api.v1alpha1.progress import Progress
from swiftlet.api.v1alpha1.queue import Queue
from swiftlet.api.v1alpha1.suites import Metric, Suite
from swiftlet.api.v1alpha1.tracking import ReportTo
from swiftlet.api.v1alpha1.uris import MODEL_FORMS_MARKED, ModelUri


class ModelAndAdapter(ApiModel):
    """A model by URI, with or without an adapter."""

    uri: ModelUri = Field(description=f"{MODEL_FORMS_MARKED}.")
    adapter_uri: ModelUri | None = Field(None, description="Adapter folder made for this model.")


class Target(ApiModel):
    """What is evaluated."""

    rules: ClassVar[tuple[Rule, ...]] = (one_of("fineTuneJobRef", "model"),)

    fine_tune_job_ref: NamedRef | None = Field(None, description="The artifact of this FineTuneJob.")
    model: ModelAndAdapter | None = None


class Base(ApiModel):
    """The model that the target's adapter was trained on."""


class Baseline(ApiModel):
    """What the target is compared with."""

    rules: ClassVar[tuple[Rule, ...]] = (one_of("base", "model"),)

    base: Base | None = None
    model: ModelAndAdapter | None = None


class Gate(ApiModel):
    """A demand on one metric. All bounds that are set must hold; delta is target minus baseline."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.min) || has(self.max) || has(self.minDelta) || has(self.maxDelta)"
            " || has(self.maxIncreasePercent)",
            "set at least one of min, max, minDelta, maxDelta, maxIncreasePercent",
        ),
    )

    metric: Metric = Field(description="Figure that must hold.")
    suite: DnsLabel | None = Field(None, description="Suite of the metric; needed when several suites report it.")
    min: float | None = Field(None, description="Least value.")
    max: float | None = Field(None, description="Greatest value.")
    min_delta: float | None = Field(None, description="Least rise over the baseline.")
    max_delta: float | None = Field(None, description="Greatest rise over the baseline.")
    max_increase_percent: float | None = Field(None, description="Greatest rise over the baseline, in percent of it.")


class EvalRunSpec(ApiModel):
    """What to measure."""

    rules: ClassVar[tuple[Rule, ...]] = (
        *immutable("target", "baseline", "suites", "gates", "attach", "reportTo"),
        immutable_but("compute", Compute, "resources"),
        Rule(
            "!has(self.baseline) || !has(self.baseline.base) || has(self.target.fineTuneJobRef)"
            " || (has(self.target.model) && has(self.target.model.adapterUri))",
            "baseline.base needs a target with a base: a fineTuneJobRef, or a model with adapterUri",
            "baseline",
        ),
        Rule(
            "has(self.baseline) || !has(self.gates)"
            " || self.gates.all(g, !has(g.minDelta) && !has(g.maxDelta) && !has(g.maxIncreasePercent))",
            "a gate on a delta needs a baseline",
            "gates",
        ),
        Rule(
            "self.suites.map(d, has(d.placeholders)"
            " ? d.placeholders.map(k, k.size() + d.placeholders[k].size()).sum() : 0).sum()"
            f" <= {MOST_CHARACTERS}",
            f"placeholders of all suites may have {MOST_CHARACTERS} characters together, names included; put long"
            " texts into the rows",
            "suites",
        ),
    )

    target: Target
    baseline: Baseline | None = None
    suites: Annotated[list[Suite], Field(min_length=1, max_length=8)] = Field(
        description="What is asked, and how answers are scored."
    )
    gates: Annotated[list[Gate], Field(max_length=16)] = Field(
        default_factory=list, description="What must hold for GatePassed to be True."
    )
    attach: bool = Field(
        False,
        description="Attach figures and report to the target in its registry of containers, as a referrer.",
    )
    report_to: ReportTo | None = Field(None, description="Experiment trackers that get the figures too.")
    compute: Compute = Field(default_factory=Compute)
    batch_size: Annotated[int, Field(ge=1, le=1024)] = Field(8, description="Rows per forward pass.")
    seed: Annotated[int, Field(ge=0, le=4294967295)] = Field(42, description="Seed of the bootstrap.")
    queue: Queue | None = Field(
        None,
        description="Queue of Kueue to wait in for quota. Another one counts from when no pod works on the run.",
    )
    suspend: bool = Field(False, description="Stop the pod; false starts the evaluation again.")
    backoff_limit: Annotated[int, Field(ge=0, le=100)] = Field(
        2, description="Retries after a failure; raised, an evaluation that failed too often starts again."
    )
    infrastructure_restart_limit: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        None,
        description="Restarts after a pod was evicted, preempted or deleted, before the run is Failed; 10 when absent."
        " Each 10 minutes that an attempt ran make up for one.",
    )
    active_deadline_seconds: Positive | None = Field(
        None, description="Fail the run when its attempts take longer than this together."
    )


class Result(ApiModel):
    """One figure. Numbers are strings, so that every client keeps their digits."""

    suite: str = Field(description="Name of the suite.")
    metric: str = Field(description="Name of the metric.")
    subject: Literal["target", "baseline"] = Field("target", description="Whose figure it is.")
    value: str = Field(description="The figure.")
    stderr: str | None = Field(None, description="Standard error of the mean over rows.")
    n: int = Field(description="Rows that count.")


class Comparison(ApiModel):
    """Target beside baseline on the same rows; interval from a paired bootstrap (Efron & Tibshirani 1993)."""

    suite: str = Field(description="Name of the suite.")
    metric: str = Field(description="Name of the metric.")
    target: str = Field(description="Figure of the target.")
    baseline: str = Field(description="Figure of the baseline.")
    delta: str = Field(description="Target minus baseline.")
    ci_low: str = Field(description="2.5 % quantile of the delta; -inf with fewer than 6 rows.")
    ci_high: str = Field(description="97.5 % quantile of the delta; inf with fewer than 6 rows.")


class GateResult(ApiModel):
    """What became of one gate."""

    metric: str = Field(description="Name of the metric.")
    suite: str = Field(description="Name of the suite.")
    passed: bool = Field(description="Whether every bound of the gate holds.")
    message: str = Field(description="Figure, bound, and how far off.")


class Report(ApiModel):
    """Where the full report lies."""

    uri: str = Field(description="Folder of the report.")
    digest: str = Field(description="`sha256:` digest of the results.")


class Measured(ApiModel):
    """The bytes that were scored: the digest of an artifact's manifest, or of the files of a model without one."""

    model_digest: str = Field(description="`sha256:` digest of the model, or of the base that the adapter was put on.")
    adapter_digest: str | None = Field(None, description="`sha256:` digest of the adapter.")


class EvalRunStatus(ApiModel):
    """What was observed."""

    observed_generation: int | None = Field(None, description="Generation of the spec that this was observed for.")
    conditions: list[Condition] = Field(default_factory=list, description="What holds, and why; by type.")
    target_digest: str | None = Field(None, description="Digest of the artifact that was evaluated.")
    measured: Measured | None = Field(None, description="What the figures are about, as the pod found it.")
    progress: Progress | None = None
    results: list[Result] = Field(default_factory=list, description="Figures by suite, metric and subject.")
    comparison: list[Comparison] = Field(default_factory=list, description="Target beside baseline.")
    truncated: list[str] | None = Field(
        None, description="What did not fit into the pod's message and is in the report alone: comparison, results."
    )
    gates: list[GateResult] = Field(default_factory=list, description="What became of each gate.")
    report: Report | None = None
    restarts: Restarts | None = None
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


class EvalRun(Resource):
    """One evaluation: suites on a target and a baseline, and gates on the figures."""

    kind_name: ClassVar[str] = "EvalRun"
    plural: ClassVar[str] = "evalruns"
    short_name: ClassVar[str] = "evr"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Succeeded", '.status.conditions[?(@.type=="Succeeded")].status'),
        Column("Gate", '.status.conditions[?(@.type=="GatePassed")].status'),
        Column("Reason", '.status.conditions[?(@.type=="Succeeded")].reason'),
        Column("Done(%)", ".status.progress.percent", "integer"),
        Column("Message", '.status.conditions[?(@.type=="GatePassed")].message', wide=True),
        Column("Report", ".status.report.uri", wide=True),
        Column("Age", ".metadata.creationTimestamp", "date"),
    )

    kind: Literal["EvalRun"] = "EvalRun"
    spec: EvalRunSpec
    status: EvalRunStatus | None = None
