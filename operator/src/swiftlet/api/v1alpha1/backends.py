"""What an attempt of a run can be made as: names, and where the API server keeps such workloads. How it is done is
`swiftlet.kinds.attempts.backends`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal


@dataclass(frozen=True)
class BackendFacts:
    """One value of `backend`."""

    name: str
    api_version: str
    kind: str
    plural: str
    complaint: tuple[str, str]
    """Reason and source of the Events in which its controller says what it cannot make."""
    is_extra: bool = False
    """Its kind is not Kubernetes' own: it may be missing, come and go."""
    spare: int = 0
    """Characters that a pod's hostname must leave free in a DNS label: some check the pod's whole name."""


JOB = BackendFacts("job", "batch/v1", "Job", "jobs", ("FailedCreate", "job-controller"))
JOB_SET = BackendFacts(
    "jobSet",
    "jobset.x-k8s.io/v1alpha2",
    "JobSet",
    "jobsets",
    ("JobCreationFailed", "jobset"),
    is_extra=True,
    spare=6,
)
BACKENDS = {facts.name: facts for facts in (JOB, JOB_SET)}
"""The default first."""
DEFAULT = next(iter(BACKENDS))
WORKLOADS = frozenset(facts.kind for facts in BACKENDS.values())
"""Kinds that go on as they were started: none is applied twice."""

if TYPE_CHECKING:
    BackendName = str
else:
    BackendName = Literal[*BACKENDS]
