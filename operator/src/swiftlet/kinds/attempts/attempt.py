"""The attempts that can be seen: a Job each, with its pods and what went before it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from swiftlet.kinds.attempts.history import HISTORY_ANNOTATION, History
from swiftlet.kinds.observing.observed import JobState, job_state, of_kind, pods_of

NameOf = Callable[[int], str]
"""Name of the Job of an attempt, by its number."""


@dataclass(frozen=True)
class Attempt:
    """One attempt: its Job and the Job's pods."""

    number: int
    job: dict[str, Any]
    pods: tuple[dict[str, Any], ...]

    @property
    def state(self) -> JobState:
        return job_state(self.job)

    @property
    def name(self) -> str:
        return str(self.job["metadata"]["name"])

    @property
    def history(self) -> History:
        return History(user=self._own_retries) if self.retries_itself else History.read(self._said)

    @property
    def retries_itself(self) -> bool:
        """Whether pods follow each other within the Job, as in an evaluation of release 0.1.0."""
        return self._said is None and not self._is_indexed

    @property
    def _said(self) -> str | None:
        return (self.job["metadata"].get("annotations") or {}).get(HISTORY_ANNOTATION)

    @property
    def _is_indexed(self) -> bool:
        return (self.job.get("spec") or {}).get("completionMode") != "NonIndexed"

    @property
    def _own_retries(self) -> int:
        failed = int((self.job.get("status") or {}).get("failed") or 0) - (self.state == "Failed")
        return min(max(failed, 0), int((self.job.get("spec") or {}).get("backoffLimit") or 0))

    def made(self, pod: str) -> bool:
        """Whether a pod of this name is of this attempt: the Job controller adds an index, if any, and five letters."""
        rest = pod.removeprefix(f"{self.name}-")
        return rest != pod and rest.count("-") == self._is_indexed


def attempts_of(name_of: NameOf, children: Sequence[dict[str, Any]]) -> list[Attempt]:
    """All attempts that can still be seen, oldest first. The number is in the Job's name: a label can be edited."""
    named = ((_number(job["metadata"]["name"], name_of), job) for job in of_kind(children, "Job"))
    jobs = {number: job for number, job in named if number is not None}
    return [Attempt(number, jobs[number], tuple(pods_of(children, jobs[number]))) for number in sorted(jobs)]


def _number(name: str, name_of: NameOf) -> int | None:
    """The first one's name may end with no number."""
    text = name.rpartition("-")[2]
    numbers = [0, int(text)] if re.fullmatch("[0-9]{1,9}", text) else [0]
    return next((number for number in numbers if name_of(number) == name), None)
