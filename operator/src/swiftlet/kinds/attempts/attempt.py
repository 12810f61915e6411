"""The attempts that can be seen: a workload each, with its pods and what went before it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from swiftlet.kinds.attempts.backends.backend import Backend
from swiftlet.kinds.attempts.backends.job import JobBackend
from swiftlet.kinds.attempts.backends.registry import BACKENDS
from swiftlet.kinds.attempts.history import HISTORY_ANNOTATION, History
from swiftlet.kinds.observing.observed import JobState, job_state, pods_of

NameOf = Callable[[int], str]
"""Name of the workload of an attempt, by its number."""


@dataclass(frozen=True)
class Attempt:
    """One attempt: what it was made as, and the pods of all its roles."""

    number: int
    job: dict[str, Any]
    """Its workload, told as one Job with all its pods."""
    pods: tuple[dict[str, Any], ...]
    jobs: tuple[dict[str, Any], ...] = ()
    """The Jobs that make its pods, where the workload is none itself."""
    backend: Backend = field(default_factory=JobBackend)

    @property
    def state(self) -> JobState:
        return job_state(self.job)

    @property
    def name(self) -> str:
        return str(self.job["metadata"]["name"])

    @property
    def makers(self) -> tuple[dict[str, Any], ...]:
        """What makes its pods; the workload itself as long as there is nothing else."""
        return self.jobs or (self.job,)

    @property
    def history(self) -> History:
        return History(user=self._own_retries) if self.retries_itself else History.read(self._said)

    @property
    def retries_itself(self) -> bool:
        """Whether pods follow each other within the Job, as in an evaluation of release 0.1.0."""
        return self._said is None and self._spec.get("completionMode") == "NonIndexed"

    @property
    def _said(self) -> str | None:
        return (self.job["metadata"].get("annotations") or {}).get(HISTORY_ANNOTATION)

    @property
    def _spec(self) -> dict[str, Any]:
        return self.job.get("spec") or {}

    @property
    def _own_retries(self) -> int:
        failed = int((self.job.get("status") or {}).get("failed") or 0) - (self.state == "Failed")
        return min(max(failed, 0), int(self._spec.get("backoffLimit") or 0))

    def made(self, pod: str) -> bool:
        """Whether a pod of this name is of this attempt."""
        return self.backend.made(self.job, pod)


def attempts_of(name_of: NameOf, children: Sequence[dict[str, Any]]) -> list[Attempt]:
    """All attempts that can still be seen, oldest first. The number is in the workload's name: a label can be edited.

    A number that two workloads of different kinds have, which only other hands can bring about, is the first one's.
    """
    workloads: dict[int, dict[str, Any]] = {}
    for kind in BACKENDS:
        for child in (child for child in children if child["kind"] == kind):
            number = _number(child["metadata"]["name"], name_of)
            if number is not None:
                workloads.setdefault(number, child)
    return [_attempt(number, workloads[number], children) for number in sorted(workloads)]


def _attempt(number: int, workload: dict[str, Any], children: Sequence[dict[str, Any]]) -> Attempt:
    backend = BACKENDS[workload["kind"]]
    jobs = backend.jobs(workload, children)
    pods = tuple(pod for job in jobs for pod in pods_of(children, job))
    others = tuple(job for job in jobs if job is not workload)
    return Attempt(number, backend.told(workload, jobs), pods, others, backend)


def _number(name: str, name_of: NameOf) -> int | None:
    """The first one's name may end with no number."""
    text = name.rpartition("-")[2]
    numbers = [0, int(text)] if re.fullmatch("[0-9]{1,9}", text) else [0]
    return next((number for number in numbers if name_of(number) == name), None)
