"""An attempt as a JobSet: a Job for each role, made, suspended and ended together.

Its controller restarts nothing (`maxRestarts: 0`): restarts, their budgets and the first cause are ours.
Pods find each other by the headless Service of the run, as those of a Job do, so JobSet makes none.
Source: jobset v0.11.1, api/jobset/v1alpha2 and pkg/controllers.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from swiftlet.api.v1alpha1.backends import JOB_SET as FACTS
from swiftlet.kinds.attempts.backends.job import job_spec
from swiftlet.kinds.attempts.role import Manifest, Role
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.frame.asked import Wish, asked_anew, asking
from swiftlet.kinds.frame.outcome import Patch
from swiftlet.kinds.observing.observed import job_state, of_kind
from swiftlet.kinds.owning.owners import owned_by

OF_JOBS = "activeDeadlineSeconds"
"""What is asked of the Jobs: a JobSet has no deadline of its own."""
SUMS = ("active", "ready", "terminating", "succeeded", "failed")
"""Counts of pods in the status of a Job."""


class JobSetBackend:
    """An attempt is one JobSet."""

    facts = FACTS

    def render(self, metadata: Manifest, roles: Sequence[Role], wish: Wish) -> Manifest:
        jobs = [{"name": role.name, "replicas": 1, "template": _template(role, wish)} for role in roles]
        spec = {
            "network": {"enableDNSHostnames": False},
            "failurePolicy": {"maxRestarts": 0},
            "replicatedJobs": jobs,
        }
        jobset = {"apiVersion": FACTS.api_version, "kind": FACTS.kind, "metadata": metadata, "spec": spec}
        return asking(jobset, _own(wish))

    def hostname(self, workload: str, role: str, index: int) -> str:
        return f"{workload}-{role}-0-{index}"

    def jobs(self, workload: Manifest, children: Iterable[Manifest]) -> list[Manifest]:
        """In the order of the roles."""
        order = [f"{workload['metadata']['name']}-{role['name']}-0" for role in _roles(workload)]
        own = (job for job in of_kind(children, "Job") if owned_by(job, workload["metadata"]["uid"]))
        return sorted((job for job in own if job["metadata"]["name"] in order), key=lambda job: order.index(_name(job)))

    def told(self, workload: Manifest, jobs: Sequence[Manifest]) -> Manifest:
        """Ended only when none of its Jobs is at work any more: the next attempt must not meet pods of this one."""
        specs = [role["template"]["spec"] for role in _roles(workload)]
        spec = {
            "suspend": (workload.get("spec") or {}).get("suspend"),
            "completionMode": "Indexed",
            "completions": sum(one["completions"] for one in specs),
            "parallelism": sum(one["parallelism"] for one in specs),
            "activeDeadlineSeconds": max(filter(None, map(_deadline, jobs)), default=None),
            "template": specs[0]["template"] if specs else {},
        }
        return {**workload, "spec": spec, "status": _status(workload, jobs)}

    def made(self, workload: Manifest, pod: str) -> bool:
        """The names of role, Job and pod, each with a number, and five letters."""
        rest = pod.removeprefix(f"{workload['metadata']['name']}-")
        return rest != pod and rest.count("-") == 3

    def asked(self, workload: Manifest, jobs: Sequence[Manifest], wish: Wish) -> list[Patch]:
        """A JobSet's Jobs cannot be changed in it, but each by itself; it leaves them as they are then."""
        deadline = {OF_JOBS: wish[OF_JOBS]}
        of_jobs = [patch for job in jobs if job_state(job) == "Active" for patch in asked_anew(job, deadline)]
        return [*asked_anew(workload, _own(wish)), *of_jobs]


def _own(wish: Wish) -> Wish:
    return {name: value for name, value in wish.items() if name != OF_JOBS}


def _template(role: Role, wish: Wish) -> Manifest:
    """The Job of a role. It has the labels of its pods: by one of them the operator sees it."""
    metadata = {"labels": role.template["metadata"]["labels"]}
    return asking({"metadata": metadata, "spec": job_spec(role)}, {OF_JOBS: wish[OF_JOBS]})


def _roles(workload: Manifest) -> list[Manifest]:
    return (workload.get("spec") or {}).get("replicatedJobs") or []


def _name(job: Manifest) -> str:
    return str(job["metadata"]["name"])


def _deadline(job: Manifest) -> int | None:
    return (job.get("spec") or {}).get("activeDeadlineSeconds")


def _status(workload: Manifest, jobs: Sequence[Manifest]) -> Manifest:
    statuses = [job.get("status") or {} for job in jobs]
    started = [status["startTime"] for status in statuses if status.get("startTime")]
    counts = {name: sum(status.get(name) or 0 for status in statuses) for name in SUMS}
    status: dict[str, Any] = {**counts, "conditions": _conditions(workload, jobs)}
    if started:
        status["startTime"] = min(started)
    completed = find_condition(workload, "Completed") or {}
    if completed.get("status") == "True":
        status["completionTime"] = completed.get("lastTransitionTime")
    return status


def _conditions(workload: Manifest, jobs: Sequence[Manifest]) -> list[Manifest]:
    found = [condition for condition in [find_condition(workload, "Suspended")] if condition]
    if any(job_state(job) == "Active" for job in jobs):
        return found
    completed, failed = find_condition(workload, "Completed"), find_condition(workload, "Failed")
    found += [{**completed, "type": "Complete"}] if completed else []
    return [*found, {**failed, **_cause(jobs)}] if failed else found


def _cause(jobs: Sequence[Manifest]) -> Manifest:
    """Reason and message of the Job that failed first; a JobSet says only that one has."""
    failures = [failed for job in jobs if (failed := find_condition(job, "Failed")) and failed["status"] == "True"]
    first = min(failures, key=lambda failed: failed.get("lastTransitionTime") or "", default={})
    return {name: first[name] for name in ("reason", "message") if name in first}
