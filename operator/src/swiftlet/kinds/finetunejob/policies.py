"""What must hold before a FineTuneJob runs."""

from swiftlet.api.v1alpha1.finetunejob import FineTuneJob
from swiftlet.kinds.attempts.backends.backend import Backend
from swiftlet.kinds.attempts.backends.choice import choose
from swiftlet.kinds.conditions.verdict import Verdict, combine
from swiftlet.kinds.finetunejob.lineage import Lineage
from swiftlet.kinds.finetunejob.plan import Layout, plan_layout
from swiftlet.kinds.finetunejob.render import COMPONENT, attempt_name
from swiftlet.kinds.frame.given import given
from swiftlet.kinds.references.tracker_secrets import secrets_verdict
from swiftlet.kinds.surroundings import Surroundings

LONGEST_LABEL = 63
"""Characters of a DNS label (RFC 1035); a pod's hostname is one."""
MOST_ATTEMPTS = 999


def decide(job: FineTuneJob, lineage: Lineage | Verdict, around: Surroundings) -> Layout | Verdict:
    """The layout of a job that may run, or all that stands against it. lineage: what it starts from, or why not yet."""
    layout, backend = plan_layout(job), choose(job.spec.backend, around)
    verdict = combine(
        [
            layout if isinstance(layout, Verdict) else None,
            around.profile_verdict,
            around.image("trainer"),
            around.limits(job.spec.compute, nodes=job.spec.parallelism.nodes),
            backend if isinstance(backend, Verdict) else hostname_fits(job, backend),
            *_model(job, lineage, around),
            *(around.file(f"spec.datasets[{index}].uri", data.uri) for index, data in enumerate(job.spec.datasets)),
            secrets_verdict(
                "spec.training.reportTo",
                job.spec.training.report_to,
                around.namespace,
                around.reader,
                around.capabilities,
            ),
            *around.volumes(),
        ]
    )
    return verdict or layout


def _model(job: FineTuneJob, lineage: Lineage | Verdict, around: Surroundings) -> list[Verdict | None]:
    """Another job may have named its base in a way that this job's profile cannot reach."""
    if isinstance(lineage, Verdict):
        return [lineage]
    if not lineage:
        return [around.model("spec.model.uri", given(job.spec.model.uri))]
    who = f"of FineTuneJob {lineage[0].fine_tune_job}"
    base = around.model(f"spec.model {who}", lineage[0].base_model) if lineage[0].type == "adapter" else None
    return [base, around.file(f"the artifact {who}", lineage[0].uri)]


def hostname_fits(job: FineTuneJob, backend: Backend) -> Verdict | None:
    """A pod's hostname begins with the attempt's name, for whose number three digits are left."""
    hostname = backend.hostname(attempt_name(job, MOST_ATTEMPTS), COMPONENT, job.spec.parallelism.nodes - 1)
    longest = LONGEST_LABEL - backend.facts.spare - (len(hostname) - len(job.metadata.name))
    if len(job.metadata.name) <= longest:
        return None
    return Verdict(
        "NameTooLong",
        f"metadata.name {job.metadata.name} has {len(job.metadata.name)} characters; with"
        f" {job.spec.parallelism.nodes} nodes the pods' hostnames leave room for {longest}; use a shorter name",
    )
