"""From an EvalRun's spec to the job document of its pod."""

from dataclasses import dataclass

from pydantic.alias_generators import to_camel

from swiftlet.api.v1alpha1.evalrun import EvalRun, ModelAndAdapter
from swiftlet.api.v1alpha1.suites import SUITE_METRICS, SUITE_NAMES, Suite
from swiftlet.kinds.frame.given import given
from swiftlet.kinds.frame.written import Written
from swiftlet.kinds.owning.ownership import namespace_of, uid_of
from swiftlet.kinds.pods.mounts import output
from swiftlet.kinds.references.sources import locate_file, locate_model
from swiftlet.kinds.references.upstream import Upstream
from swiftlet.kinds.surroundings import Surroundings
from swiftlet.storage.artifacts import artifact_uri
from swiftlet.storage.mount import Mount
from swiftlet.wire.documents import OUTPUT_ROOT, EvaluateDocument, ResolvedSubject, ResolvedSuite


@dataclass(frozen=True)
class Subject:
    """A model to score and the volumes that it needs."""

    resolved: ResolvedSubject
    mounts: tuple[Mount, ...]


@dataclass(frozen=True)
class EvalPlan(Written):
    """Everything that rendering needs."""

    document: EvaluateDocument
    mounts: tuple[Mount, ...]
    folder: str
    """The evaluation's own, on the artifacts volume."""


def suite_name(suite: Suite) -> str:
    """The suite's name in results and gates."""
    return suite.name or SUITE_NAMES[_block(suite)]


def suite_uri(suite: Suite) -> tuple[str, str]:
    """(path of the field below the suite, URI) of the suite's data."""
    block = _block(suite)
    return f"{to_camel(block)}.uri", getattr(suite, block).uri


def suite_metrics(suite: Suite) -> list[str]:
    """Metrics that the suite reports."""
    return list(suite.generation.metrics if suite.generation else SUITE_METRICS[_block(suite)])


def _block(suite: Suite) -> str:
    return next(block for block in SUITE_NAMES if getattr(suite, block) is not None)


def plan_evaluation(run: EvalRun, upstream: Upstream | None, around: Surroundings) -> EvalPlan:
    """The plan of a run that no policy stands against. `upstream`: the target when it is a FineTuneJob's artifact."""
    target = _target(run, upstream, around)
    baseline = _baseline(run, upstream, around)
    files = [locate_file(suite_uri(suite)[1], index, around.storage) for index, suite in enumerate(run.spec.suites)]
    folder = f"{namespace_of(run)}/evalruns/{run.metadata.name}-{uid_of(run)[:8]}"
    document = EvaluateDocument(
        name=run.metadata.name,
        namespace=namespace_of(run),
        uid=uid_of(run),
        target=target.resolved,
        baseline=baseline.resolved if baseline else None,
        suites=[
            ResolvedSuite(**{**suite.model_dump(), "name": suite_name(suite)}, path=file.path)
            for suite, file in zip(run.spec.suites, files, strict=True)
        ],
        batch_size=run.spec.batch_size,
        seed=run.spec.seed,
        use_gpu=run.spec.compute.gpus > 0,
        output_dir=OUTPUT_ROOT,
        report_to=run.spec.report_to,
        fine_tune_job=_job_of(run) if run.spec.report_to else None,
        report_uri=artifact_uri(around.storage.artifacts_claim, f"{folder}/report.html"),
        attach_uri=target_uri(run, upstream) if run.spec.attach else None,
    )
    subjects = (*target.mounts, *(baseline.mounts if baseline else ()))
    inputs = (*subjects, *(mount for file in files for mount in file.mounts))
    return EvalPlan(document, (*inputs, output(around.storage.artifacts_claim, folder)), folder)


def target_uri(run: EvalRun, upstream: Upstream | None) -> str:
    """URI of what is measured: of the adapter, where there is one."""
    if upstream:
        return upstream.artifact.uri
    named = given(run.spec.target.model)
    return named.adapter_uri or named.uri


def _job_of(run: EvalRun) -> str | None:
    ref = run.spec.target.fine_tune_job_ref
    return ref.name if ref else None


def _target(run: EvalRun, upstream: Upstream | None, around: Surroundings) -> Subject:
    if upstream is None:
        return _named(given(run.spec.target.model), "target", around)
    if upstream.artifact.type == "model":
        return _located(upstream.artifact.uri, None, upstream.artifact.digest, "target", around)
    return _located(upstream.base, upstream.artifact.uri, upstream.artifact.digest, "target", around)


def _baseline(run: EvalRun, upstream: Upstream | None, around: Surroundings) -> Subject | None:
    if run.spec.baseline is None:
        return None
    if run.spec.baseline.model:
        return _named(run.spec.baseline.model, "baseline", around)
    if upstream:
        return _located(upstream.base, None, None, "baseline", around)
    return _located(given(run.spec.target.model).uri, None, None, "baseline", around)


def _named(named: ModelAndAdapter, slot: str, around: Surroundings) -> Subject:
    return _located(named.uri, named.adapter_uri, None, slot, around)


def _located(uri: str, adapter_uri: str | None, digest: str | None, slot: str, around: Surroundings) -> Subject:
    model = locate_model(uri, f"{slot}-model", around.storage)
    if adapter_uri is None:
        return Subject(ResolvedSubject(model=model.model, digest=digest), model.mounts)
    adapter = locate_model(adapter_uri, f"{slot}-adapter", around.storage)
    resolved = ResolvedSubject(model=model.model, adapter_path=adapter.model.path, digest=digest)
    return Subject(resolved, (*model.mounts, *adapter.mounts))
