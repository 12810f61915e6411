"""Conditions of bounded work, whatever its kind."""

from collections.abc import Callable
from typing import Literal

from swiftlet.kinds.attempts.course import Course
from swiftlet.kinds.attempts.decision import Decision
from swiftlet.kinds.conditions.condition import State, Truth
from swiftlet.kinds.conditions.suspension import suspended_state
from swiftlet.kinds.conditions.timestamps import to_text
from swiftlet.kinds.conditions.verdict import Verdict, refusal
from swiftlet.kinds.observing.failures import unreadable_results
from swiftlet.kinds.observing.observed import NODE_LOST, is_suspended, running_container, stopped

STARTING = ("PodsStarting", "no container runs")


def running(course: Course, ended: bool, is_accepted: bool, working: Callable[[list[str]], tuple[str, str]]) -> State:
    """Running: a pod works on the run. working: (reason, message) by the names of the containers that do."""
    if ended:
        return State("Running", "False", "Finished", "the run has ended")
    if course.decision.starts_at:
        return State("Running", "False", "BackingOff", _waits(course.decision))
    if course.newest is None:
        return State("Running", "False", *not_started(course, is_accepted))
    hindered = course.hindered
    if hindered and hindered[0] == NODE_LOST:
        return State("Running", "Unknown", *hindered)
    containers = [name for pod in course.newest.pods if (name := running_container(pod))]
    if not containers:
        return State("Running", "False", *_idle(course))
    reason, message = working(containers)
    return State("Running", "True", reason, f"attempt {course.newest.number}: {message}")


def suspended(course: Course, ended: bool) -> State:
    """Suspended: spec.suspend, or somebody else, has stopped the pods."""
    stopped = course.newest is None or is_suspended(course.newest.job)
    if course.hold:
        stopped = stopped or not (course.newest and course.newest.pods)
        return State("Suspended", "True" if stopped else "Unknown", *course.hold)
    return suspended_state(course.suspend, ended, stopped, course.old)


def succeeded(
    course: Course,
    ending: tuple[str, str] | None,
    verdict: Verdict | None,
    good: Literal["Trained", "Evaluated"],
    work: State,
) -> State:
    """Succeeded: the summary; Unknown until the end. good: the reason of an end that is none. work: Running."""
    if ending:
        reason, message = ending
        truth: Truth = "True" if reason == good else "False"
        return State("Succeeded", truth, reason, message)
    if verdict and course.newest is None:
        return refusal("Succeeded", verdict)
    if course.suspend:
        return State("Succeeded", "Unknown", "Suspended", suspended(course, ended=False).message)
    return State("Succeeded", "Unknown", work.reason, work.message)


def missing_result(course: Course, what: str, kind: str) -> str:
    """Why a run that completed has no result. what: the result, in words."""
    skew = unreadable_results(course.newest.pods) if course.newest else None
    if skew:
        return f"the Job completed, and what its pod left cannot be understood: {skew}"
    return (
        f"the Job completed, but no pod left {what}, neither in its termination message nor on the volume; look at the"
        f" pods' logs, then delete the {kind} and create it again"
    )


def not_started(course: Course, is_accepted: bool) -> tuple[str, str]:
    """(reason, message) of a run without a Job."""
    if not is_accepted:
        return "NotAccepted", "the run is not accepted yet"
    if course.suspend:
        return "Suspended", "spec.suspend is true"
    return "JobCreating", f"attempt {course.decision.number} is being created"


def failed(decision: Decision) -> str:
    """How a run that failed did, and what lets it go on."""
    failure = decision.failure
    if failure is None:
        return "the run failed"
    where = [f"rank {failure.rank}" if failure.rank is not None else "", f"pod {failure.pod}" if failure.pod else ""]
    where.append(f"node {failure.node}" if failure.node else "")
    code = f"exit code {failure.exit_code}" if failure.exit_code is not None else ""
    place = ", ".join(part for part in [*where, code] if part)
    text = f"{failure.reason}: {failure.message}" + (f" ({place})" if place else "")
    if decision.ending == "BackoffLimitExceeded":
        return f"{text}; restarted {decision.history.user} times, raise spec.backoffLimit to try again"
    if decision.ending == "InfrastructureLimitExceeded":
        return (
            f"{text}; pods were taken away {decision.history.recent + 1} times lately: look at the nodes, then raise"
            " spec.infrastructureRestartLimit to go on"
        )
    if decision.ending == "DeadlineExceeded":
        return f"{text}; raise spec.activeDeadlineSeconds to go on"
    return text


def _waits(decision: Decision) -> str:
    failure = decision.failure
    why = f"{failure.reason}: {failure.message}" if failure else "the last attempt failed"
    due = to_text(decision.starts_at) if decision.starts_at else "now"
    return f"attempt {decision.number} starts at {due}: {why}"


def _idle(course: Course) -> tuple[str, str]:
    """Why no container works, though the Job is there."""
    if course.hold:
        return course.hold
    if message := stopped(course.newest.pods if course.newest else ()):
        return "Stopped", message
    if course.suspend:
        return "Suspended", "no container runs"
    return course.hindered or STARTING
