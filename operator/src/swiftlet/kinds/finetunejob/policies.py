"""What must hold before a FineTuneJob runs."""

from swiftlet.api.finetunejob import FineTuneJob
from swiftlet.kinds.finetunejob.plan import Layout, plan_layout
from swiftlet.kinds.surroundings import Surroundings
from swiftlet.kinds.verdict import Verdict, combine

LONGEST_LABEL = 63
"""Characters of a DNS label (RFC 1035); a pod's hostname is one."""


def decide(job: FineTuneJob, around: Surroundings) -> Layout | Verdict:
    """The layout of a job that may run, or all that stands against it."""
    layout = plan_layout(job)
    verdict = combine(
        [
            layout if isinstance(layout, Verdict) else None,
            around.profile_verdict,
            around.image("trainer"),
            around.limits(job.spec.compute, nodes=job.spec.parallelism.nodes),
            hostname_fits(job),
            around.model("spec.model.uri", job.spec.model.uri),
            *(around.file(f"spec.datasets[{index}].uri", data.uri) for index, data in enumerate(job.spec.datasets)),
            *around.volumes(),
        ]
    )
    return verdict or layout


def hostname_fits(job: FineTuneJob) -> Verdict | None:
    """Pods of an Indexed Job are called `<name>-train-<attempt>-<index>`; three digits are left for the attempt."""
    longest = LONGEST_LABEL - len("-train-999-") - len(str(job.spec.parallelism.nodes - 1))
    if len(job.metadata.name) <= longest:
        return None
    return Verdict(
        "NameTooLong",
        f"metadata.name {job.metadata.name} has {len(job.metadata.name)} characters; with"
        f" {job.spec.parallelism.nodes} nodes the pods' hostnames leave room for {longest}; use a shorter name",
    )
