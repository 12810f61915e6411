"""An attempt as one Indexed Job: all that a single role needs."""

from collections.abc import Iterable, Sequence

from swiftlet.api.v1alpha1.backends import JOB as FACTS
from swiftlet.kinds.attempts.role import Manifest, Role
from swiftlet.kinds.frame.asked import Wish, asked_anew, asking
from swiftlet.kinds.frame.outcome import Patch
from swiftlet.wire.messages import NEVER_RETRIED

FAILURE_POLICY = {
    "rules": [
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": list(NEVER_RETRIED)}},
        {"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    ]
}
"""One pod that is lost stops a synchronous gang, so a disruption ends the attempt as a whole and the next one starts,
from the checkpoint where there is one; the Job's condition then still says why when the evicted pod is long gone. There
is no rule for exit code 143: pods of a suspended Job end with it, and a rule would fail the Job."""


def job_spec(role: Role) -> Manifest:
    """spec of the Job of a role."""
    return {
        "completionMode": "Indexed" if role.indexed else "NonIndexed",
        "completions": role.replicas,
        "parallelism": role.replicas,
        "backoffLimit": 0,
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": FAILURE_POLICY,
        "template": role.template,
    }


class JobBackend:
    """An attempt is one Job."""

    facts = FACTS

    def render(self, metadata: Manifest, roles: Sequence[Role], wish: Wish) -> Manifest:
        """Raises ValueError for several roles, which one Job cannot have."""
        (role,) = roles
        job = {"apiVersion": FACTS.api_version, "kind": FACTS.kind, "metadata": metadata, "spec": job_spec(role)}
        return asking(job, wish)

    def hostname(self, workload: str, role: str, index: int) -> str:
        return f"{workload}-{index}"

    def jobs(self, workload: Manifest, children: Iterable[Manifest]) -> list[Manifest]:
        return [workload]

    def told(self, workload: Manifest, jobs: Sequence[Manifest]) -> Manifest:
        return workload

    def made(self, workload: Manifest, pod: str) -> bool:
        """The Job controller adds an index, if any, and five letters."""
        rest = pod.removeprefix(f"{workload['metadata']['name']}-")
        is_indexed = (workload.get("spec") or {}).get("completionMode") != "NonIndexed"
        return rest != pod and rest.count("-") == is_indexed

    def asked(self, workload: Manifest, jobs: Sequence[Manifest], wish: Wish) -> list[Patch]:
        return asked_anew(workload, wish)
