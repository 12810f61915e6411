"""One look at an EvalRun: observe, decide, plan, render, report."""

from datetime import datetime
from functools import partial
from typing import Any

from swiftlet.api.v1alpha1.evalrun import EvalRun, EvalRunStatus
from swiftlet.kinds.attempts.attempt import attempts_of
from swiftlet.kinds.attempts.course import course_of
from swiftlet.kinds.attempts.outcome import outcome_of
from swiftlet.kinds.children.network_policy import surplus_policies
from swiftlet.kinds.conditions.endings import is_over, seen
from swiftlet.kinds.conditions.verdict import Verdict
from swiftlet.kinds.evalrun.plan import plan_evaluation
from swiftlet.kinds.evalrun.policies import decide, target_of
from swiftlet.kinds.evalrun.render import TARGET_ANNOTATION, attempt_name, changeable_digest, render
from swiftlet.kinds.evalrun.status import View, status_of
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.kinds.frame.outcome import Outcome, ref_of
from swiftlet.kinds.frame.reading import Reader
from swiftlet.kinds.observing.observed import is_being_deleted
from swiftlet.kinds.owning.ownership import name_conflict, namespace_of, uid_of
from swiftlet.kinds.references.upstream import Upstream
from swiftlet.kinds.surroundings import look_around


def reconcile(resource: dict[str, Any], reader: Reader, now: datetime, capabilities: Capabilities) -> Outcome:
    """What should be there for `resource` (defaulted and valid), and what its status should say."""
    run = EvalRun.model_validate(resource)
    old = run.status or EvalRunStatus()
    children = reader.children(namespace_of(run), uid_of(run))
    found = attempts_of(partial(attempt_name, run), children)
    around = look_around(run, run.spec.compute, reader, capabilities)
    target = target_of(run, around)
    upstream = target if isinstance(target, Upstream) else None
    digest = upstream.artifact.digest if upstream else old.target_digest if isinstance(target, Verdict) else None
    if digest != old.target_digest:
        old = EvalRunStatus(conditions=old.conditions)  # what was counted of another artifact is not of this one
    elif old.results or is_over(old.conditions, old.completion_time, bool(found)):
        return Outcome([], [], seen(old, run.metadata.generation, run.spec.suspend).document())
    attempts = [attempt for attempt in found if _evaluates(attempt.job, digest)]
    others = [attempt.job for attempt in found if not _evaluates(attempt.job, digest)]
    course = course_of(run, old, attempts, "results", changeable_digest(run), reader, now)
    decision, verdict = course.decision, decide(run, target, around)
    plan = plan_evaluation(run, upstream, around) if decision.wants_job and not verdict else None
    rendered = render(run, plan, around, course) if plan else []
    verdict = name_conflict(run, reader, children, rendered) or verdict
    planned = [*around.missing_claims(), *rendered] if rendered and not (verdict or others) else []
    gone = [ref_of(job) for job in others if not is_being_deleted(job)]
    status = status_of(View(run, old, verdict, digest, course, reader.progress(uid_of(run))), now)
    return outcome_of(run, course, planned, [*gone, *surplus_policies(children, around)], status, now)


def _evaluates(job: dict[str, Any], digest: str | None) -> bool:
    places = (job["spec"]["template"]["metadata"], job["metadata"])  # a Job of 0.1.0 has it on itself alone
    found = (annotations for place in places if TARGET_ANNOTATION in (annotations := place.get("annotations") or {}))
    return next(found, {}).get(TARGET_ANNOTATION, "") == (digest or "")
