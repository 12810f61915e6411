"""What a FineTuneJob hands on: its artifact, or why there is none yet."""

from dataclasses import dataclass

from swiftlet.api.v1alpha1.finetunejob import FineTuneJob
from swiftlet.api.v1alpha1.finetunejob_status import Artifact
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.conditions.verdict import Verdict
from swiftlet.kinds.frame.reading import Reader
from swiftlet.wire.reading import read


@dataclass(frozen=True)
class Upstream:
    """A FineTuneJob that has ended well."""

    job: FineTuneJob
    artifact: Artifact

    @property
    def base(self) -> str:
        """URI of the model that the artifact was made from."""
        return self.job.spec.model.uri or self.artifact.base_model


def upstream_of(field: str, name: str, namespace: str, reader: Reader) -> Upstream | Verdict:
    """The artifact of FineTuneJob `name`, or the obstacle: missing, failed, or not there yet."""
    found = reader.get("FineTuneJob", namespace, name)
    who = f"FineTuneJob {namespace}/{name}"
    if found is None:
        return Verdict("ReferenceNotFound", f"{field}.name {name}: {who} does not exist", waits=True)
    job = read(FineTuneJob, found).value
    if job.status and job.status.artifact:
        return Upstream(job, job.status.artifact)
    summary = find_condition(found, "Succeeded") or {"status": "Unknown", "reason": "NotObserved", "message": ""}
    if summary["status"] == "False":
        return Verdict("UpstreamFailed", f"{who} failed: {summary['reason']}: {summary['message']}")
    return Verdict("WaitingForFineTuneJob", f"waiting for {who}: {summary['reason']}", waits=True)
