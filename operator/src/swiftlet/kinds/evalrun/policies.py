"""What must hold before an EvalRun runs."""

from collections import Counter

from swiftlet.api.v1alpha1.evalrun import EvalRun, Gate, ModelAndAdapter
from swiftlet.api.v1alpha1.uris import parse_uri, scheme_of
from swiftlet.kinds.conditions.verdict import Verdict, combine
from swiftlet.kinds.evalrun.plan import suite_metrics, suite_name, suite_uri, target_uri
from swiftlet.kinds.references.tracker_secrets import secrets_verdict
from swiftlet.kinds.references.upstream import Upstream, upstream_of
from swiftlet.kinds.surroundings import Surroundings
from swiftlet.storage.registry import SCHEMES


def target_of(run: EvalRun, around: Surroundings) -> Upstream | Verdict | None:
    """The FineTuneJob's artifact that is the target, the obstacle, or None when the target is a model by URI."""
    ref = run.spec.target.fine_tune_job_ref
    return upstream_of("spec.target.fineTuneJobRef", ref.name, around.namespace, around.reader) if ref else None


def decide(run: EvalRun, target: Upstream | Verdict | None, around: Surroundings) -> Verdict | None:
    """All that stands against the run."""
    return combine(
        [
            target if isinstance(target, Verdict) else None,
            around.profile_verdict,
            around.image("trainer"),
            around.limits(run.spec.compute),
            distinct_names(run),
            None if isinstance(target, Verdict) else can_attach(run, target),
            *(gate_resolves(index, gate, run) for index, gate in enumerate(run.spec.gates)),
            *_models("spec.target.model", run.spec.target.model, around),
            *_models("spec.baseline.model", run.spec.baseline.model if run.spec.baseline else None, around),
            *(_base(target, around)),
            *(_suite(index, run, around) for index in range(len(run.spec.suites))),
            secrets_verdict("spec.reportTo", run.spec.report_to, around.namespace, around.reader, around.capabilities),
            *around.volumes(),
        ]
    )


def distinct_names(run: EvalRun) -> Verdict | None:
    """Results are told apart by the names of their suites."""
    twice = [name for name, count in Counter(map(suite_name, run.spec.suites)).items() if count > 1]
    if not twice:
        return None
    return Verdict("InvalidPlan", f"spec.suites: several suites are called {', '.join(twice)}; give each a name")


def can_attach(run: EvalRun, target: Upstream | None) -> Verdict | None:
    """Results are attached to what a registry has."""
    uri = target_uri(run, target)
    if not run.spec.attach or scheme_of(parse_uri(uri)).attaches:
        return None
    ways = " or ".join(f"{scheme.name}://" for scheme in SCHEMES.values() if scheme.attaches)
    remedy = f"have the run write its artifact to {ways} (spec.export), or set attach to false"
    return Verdict("InvalidPlan", f"spec.attach: the target {uri} lies in no registry; {remedy}")


def gate_resolves(index: int, gate: Gate, run: EvalRun) -> Verdict | None:
    """A gate means exactly one figure."""
    suites = [suite for suite in run.spec.suites if gate.suite in (None, suite_name(suite))]
    found = [suite_name(suite) for suite in suites if gate.metric in suite_metrics(suite)]
    if len(found) == 1:
        return None
    field = f"spec.gates[{index}]"
    if found:
        return Verdict("InvalidPlan", f"{field}: {gate.metric} is reported by {', '.join(found)}; set suite to one")
    reported = ", ".join(f"{suite_name(s)}: {' '.join(suite_metrics(s))}" for s in run.spec.suites)
    where = f"suite {gate.suite} does not report {gate.metric}" if gate.suite else f"no suite reports {gate.metric}"
    return Verdict("InvalidPlan", f"{field}: {where}; reported are {reported}")


def _models(field: str, named: ModelAndAdapter | None, around: Surroundings) -> list[Verdict | None]:
    if named is None:
        return []
    found = [around.model(f"{field}.uri", named.uri)]
    return [*found, around.file(f"{field}.adapterUri", named.adapter_uri)] if named.adapter_uri else found


def _base(target: Upstream | Verdict | None, around: Surroundings) -> list[Verdict | None]:
    """The FineTuneJob may name its base in a way that this run's profile cannot reach."""
    if not isinstance(target, Upstream):
        return []
    field = f"spec.model of FineTuneJob {target.job.metadata.name}"
    return [around.model(field, target.base), around.file("its artifact", target.artifact.uri)]


def _suite(index: int, run: EvalRun, around: Surroundings) -> Verdict | None:
    field, uri = suite_uri(run.spec.suites[index])
    return around.file(f"spec.suites[{index}].{field}", uri)
