"""The Job controller: a pure decision over a Job and its pods. Source: Kubernetes batch/v1, pkg/controller/job.

Differences from a cluster: a pod is replaced only when it has ended (podReplacementPolicy Failed), since all pods share
one machine; and a replacement waits 2 s, doubling to 60 s, where a cluster waits 10 s to 6 min.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from swiftlet.local.decisions import PodDecision, Told, is_ready, is_terminating, phase
from swiftlet.local.job_pods import index_of, is_indexed, job_pod
from swiftlet.local.job_policy import policy_match
from swiftlet.local.podstatus import with_times

BACKOFF_SECONDS = (2.0, 60.0)
"""First and longest pause before a failed pod is replaced."""
UNSUPPORTED = ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy")
"""Fields of a Job that change what its pods' ends mean and that are not known here."""


@dataclass(frozen=True)
class _Pods:
    active: list[dict[str, Any]]
    terminating: list[dict[str, Any]]
    succeeded: set[int]
    """Completion indexes; for a Job without indexes, a number for each pod."""
    failed: list[dict[str, Any]]
    """That count against backoffLimit."""
    failed_job: str | None
    """Why a pod fails the whole Job."""


def decide(job: dict[str, Any], pods: Sequence[dict[str, Any]], now: datetime) -> PodDecision:
    """What to do about a Job. `pods`: those that it owns."""
    old = job.get("status") or {}
    if _true(old, "Complete") or _true(old, "Failed"):
        return PodDecision(old)
    sorted_pods = _sort(job, pods)
    started = _started(job, old, now)
    failure = _failure(job, old, sorted_pods, started, now)
    if failure:
        return _fail(job, old, sorted_pods, started, failure)
    if _is_complete(job, sorted_pods):
        return _end(job, old, sorted_pods, started, now)
    if job["spec"].get("suspend"):
        return _suspend(job, old, sorted_pods)
    return _go_on(job, old, sorted_pods, pods, started, now)


def _sort(job: dict[str, Any], pods: Sequence[dict[str, Any]]) -> _Pods:
    running = [pod for pod in pods if phase(pod) not in ("Succeeded", "Failed")]
    done = [pod for pod in pods if phase(pod) == "Succeeded"]
    # A pod that was deleted on purpose, as when the Job is suspended, is no failure.
    dead = [pod for pod in pods if phase(pod) == "Failed" and not is_terminating(pod)]
    matches = [(pod, policy_match(job["spec"].get("podFailurePolicy"), pod)) for pod in dead]
    indexed = is_indexed(job)
    return _Pods(
        active=[pod for pod in running if not is_terminating(pod)],
        terminating=[pod for pod in running if is_terminating(pod)],
        succeeded={index_of(pod) for pod in done} if indexed else set(range(len(done))),
        failed=[pod for pod, match in matches if match.action != "Ignore"],
        failed_job=next((match.message for _, match in matches if match.action == "FailJob"), None),
    )


def _started(job: dict[str, Any], old: dict[str, Any], now: datetime) -> str | None:
    if job["spec"].get("suspend"):
        return None
    return str(old.get("startTime") or _text(now))


def _failure(
    job: dict[str, Any], old: dict[str, Any], pods: _Pods, started: str | None, now: datetime
) -> tuple[str, str] | None:
    """(reason, message) of the Job's failure."""
    announced = next((c for c in old.get("conditions") or [] if c["type"] == "FailureTarget"), None)
    if announced:
        return announced["reason"], announced["message"]
    spec = job["spec"]
    unknown = [name for name in UNSUPPORTED if spec.get(name) is not None]
    if unknown:
        return "Unsupported", f"spec.{', spec.'.join(unknown)} is not known to the local engine; leave it out"
    if pods.failed_job:
        return "PodFailurePolicy", pods.failed_job
    restarts = sum(
        container["restartCount"]
        for pod in pods.active
        for container in (pod.get("status") or {}).get("containerStatuses") or []
    )
    if len(pods.failed) + restarts > spec.get("backoffLimit", 6):
        return "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    left = _seconds_left(job, started, now)
    if left is not None and left <= 0:
        return "DeadlineExceeded", "Job was active longer than specified deadline"
    return None


def _is_complete(job: dict[str, Any], pods: _Pods) -> bool:
    wanted = job["spec"].get("completions")
    if wanted is None:
        return bool(pods.succeeded) and not pods.active and not pods.terminating
    return len(pods.succeeded) >= int(wanted)


def _fail(
    job: dict[str, Any], old: dict[str, Any], pods: _Pods, started: str | None, failure: tuple[str, str]
) -> PodDecision:
    """Failed once every pod has ended; until then FailureTarget says that it will be."""
    if pods.active or pods.terminating:
        status = _status(old, pods, started, [_condition("FailureTarget", failure)])
        return PodDecision(status, delete=pods.active)
    conditions = [_condition("FailureTarget", failure), _condition("Failed", failure)]
    return PodDecision(_status(old, pods, started, conditions), events=[Told("Warning", *failure)])


def _end(job: dict[str, Any], old: dict[str, Any], pods: _Pods, started: str | None, now: datetime) -> PodDecision:
    why = ("CompletionsReached", "Reached expected number of succeeded pods")
    if pods.active or pods.terminating:
        return PodDecision(_status(old, pods, started, [_condition("SuccessCriteriaMet", why)]), delete=pods.active)
    conditions = [_condition("SuccessCriteriaMet", why), _condition("Complete", why)]
    status = _status(old, pods, started, conditions) | {"completionTime": _text(now)}
    return PodDecision(status, events=[Told("Normal", "Completed", "Job completed")])


def _suspend(job: dict[str, Any], old: dict[str, Any], pods: _Pods) -> PodDecision:
    why = ("JobSuspended", "Job suspended")
    events = [] if _true(old, "Suspended") else [Told("Normal", "Suspended", "Job suspended")]
    status = _status(old, pods, None, [_condition("Suspended", why)])
    return PodDecision(status, delete=pods.active, events=events)


def _go_on(
    job: dict[str, Any],
    old: dict[str, Any],
    pods: _Pods,
    all_pods: Sequence[dict[str, Any]],
    started: str | None,
    now: datetime,
) -> PodDecision:
    conditions = []
    if any(condition["type"] == "Suspended" for condition in old.get("conditions") or []):
        conditions = [_condition("Suspended", ("JobResumed", "Job resumed"), "False")]
    decision = PodDecision(_status(old, pods, started, conditions))
    wait = _backoff_left(pods.failed, now)
    if wait > 0:
        decision.requeue_after = wait
    else:
        decision.create = _missing(job, pods, all_pods)
        if decision.create:
            names = ", ".join(pod["metadata"]["name"] for pod in decision.create)
            decision.events.append(Told("Normal", "SuccessfulCreate", f"Created pod: {names}"))
    left = _seconds_left(job, started, now)
    if left is not None:
        decision.requeue_after = min(left, decision.requeue_after or left)
    return decision


def _missing(job: dict[str, Any], pods: _Pods, all_pods: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pods to create now: each index that is neither done nor at work, as far as parallelism allows."""
    spec = job["spec"]
    parallelism = spec.get("parallelism", 1)
    busy = [*pods.active, *pods.terminating]
    wanted = spec.get("completions")
    room = parallelism - len(busy)
    if is_indexed(job):
        taken = {index_of(pod) for pod in busy} | pods.succeeded
        indexes = [index for index in range(wanted or 1) if index not in taken][: max(0, room)]
        made = [index_of(pod) for pod in all_pods]
        return [job_pod(job, index, made.count(index)) for index in indexes]
    if wanted is not None:
        room = min(room, wanted - len(pods.succeeded) - len(busy))
    elif pods.succeeded:
        room = 0
    return [job_pod(job, 0, len(all_pods) + number) for number in range(max(0, room))]


def _backoff_left(failed: Sequence[dict[str, Any]], now: datetime) -> float:
    """Seconds until failed pods may be replaced."""
    if not failed:
        return 0.0
    first, longest = BACKOFF_SECONDS
    pause = min(first * 2.0 ** min(len(failed) - 1, 16), longest)
    last = max(_ended_at(pod) for pod in failed)
    return (last + timedelta(seconds=pause) - now).total_seconds()


def _ended_at(pod: dict[str, Any]) -> datetime:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    times = [s["state"]["terminated"].get("finishedAt") for s in statuses if "terminated" in s["state"]]
    return max((_moment(text) for text in times if text), default=_moment(pod["metadata"]["creationTimestamp"]))


def _seconds_left(job: dict[str, Any], started: str | None, now: datetime) -> float | None:
    seconds = job["spec"].get("activeDeadlineSeconds")
    if seconds is None or started is None:
        return None
    return float(seconds) - (now - _moment(started)).total_seconds()


def _status(old: dict[str, Any], pods: _Pods, started: str | None, conditions: list[dict[str, Any]]) -> dict[str, Any]:
    status: dict[str, Any] = {
        "active": len(pods.active),
        "ready": sum(is_ready(pod) for pod in pods.active),
        "terminating": len(pods.terminating),
        "succeeded": len(pods.succeeded),
        "failed": len(pods.failed),
    }
    if started:
        status["startTime"] = started
    if conditions:
        status["conditions"] = with_times(conditions, old.get("conditions") or [])
    return status


def _condition(type_: str, why: tuple[str, str], status: str = "True") -> dict[str, Any]:
    return {"type": type_, "status": status, "reason": why[0], "message": why[1]}


def _true(status: dict[str, Any], type_: str) -> bool:
    return any(c["type"] == type_ and c["status"] == "True" for c in status.get("conditions") or [])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
