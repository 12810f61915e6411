"""One look at an EvalRun: observe, decide, plan, render, report."""

from datetime import datetime
from typing import Any

from swiftlet.api.evalrun import EvalRun, EvalRunStatus
from swiftlet.kinds.asked import asked_anew
from swiftlet.kinds.capabilities import Capabilities
from swiftlet.kinds.children import follows, is_outdated
from swiftlet.kinds.claims import unbound_claims
from swiftlet.kinds.endings import is_over, seen
from swiftlet.kinds.evalrun.jobs import jobs_of, lost_at, starts_anew
from swiftlet.kinds.evalrun.plan import plan_evaluation
from swiftlet.kinds.evalrun.policies import decide, target_of
from swiftlet.kinds.evalrun.render import (
    TARGET_ANNOTATION,
    again_name,
    changeable_digest,
    child_name,
    render,
    wish,
)
from swiftlet.kinds.evalrun.status import View, status_of
from swiftlet.kinds.events import events_of
from swiftlet.kinds.holding import asks_again, hold_of, only_deletion_stops
from swiftlet.kinds.network_policy import surplus_policies
from swiftlet.kinds.observed import is_being_deleted, job_state, pods_of
from swiftlet.kinds.outcome import Outcome, Patch, ref_of
from swiftlet.kinds.ownership import name_conflict, namespace_of, uid_of
from swiftlet.kinds.reading import Reader
from swiftlet.kinds.surroundings import look_around
from swiftlet.kinds.unmade import unmade_pods
from swiftlet.kinds.upstream import Upstream
from swiftlet.kinds.verdict import Verdict


def reconcile(resource: dict[str, Any], reader: Reader, now: datetime, capabilities: Capabilities) -> Outcome:
    """What should be there for `resource` (defaulted and valid), and what its status should say."""
    run = EvalRun.model_validate(resource)
    old = run.status or EvalRunStatus()
    children = reader.children(namespace_of(run), uid_of(run))
    jobs = jobs_of(run, children)
    around = look_around(run, run.spec.compute, reader, capabilities)
    target = target_of(run, around)
    upstream = target if isinstance(target, Upstream) else None
    digest = upstream.artifact.digest if upstream else old.target_digest if isinstance(target, Verdict) else None
    if digest == old.target_digest and (old.results or is_over(old.conditions, old.completion_time, bool(jobs))):
        return Outcome([], [], seen(old, run.metadata.generation, run.spec.suspend).document())
    outdated = [job for job in jobs if not _evaluates(job, digest) or _is_tried_again(run, job, children)]
    current = None if outdated or not jobs else jobs[-1]
    verdict = decide(run, target, around)
    pods = tuple(pods_of(children, current)) if current else ()
    lost = lost_at(run, current, pods, now)
    current = None if lost else current
    name = again_name(run) if lost or len(jobs) > 1 else child_name(run)
    rendered = [] if verdict else render(run, plan_evaluation(run, upstream, around), around, name)
    verdict = verdict or name_conflict(run, reader, rendered)
    progress = reader.progress(uid_of(run))
    active = current if current and job_state(current) == "Active" else None
    hold, stopped = hold_of(active, run.spec.suspend, reader), only_deletion_stops(active, run.spec.suspend)
    unbound, unmade = unbound_claims(pods, reader), unmade_pods(current, pods, reader, now) if current else None
    refusal = unmade.refusal if unmade else None
    view = View(run, old, verdict, digest, current, pods, progress, unbound, hold, refusal, lost)
    status = status_of(view, now)
    wait = (lost - now).total_seconds() if lost and lost > now else None
    planned = [] if verdict else [*around.missing_claims(), *rendered]
    return Outcome(
        desired=[] if outdated or wait else _desired(run, planned, current),
        delete=[
            *(ref_of(job) for job in outdated if not is_being_deleted(job)),
            *stopped,
            *surplus_policies(children, around),
        ],
        status=status.document(),
        events=events_of(old.conditions, status.conditions),
        requeue_after=wait or (unmade.again if unmade else asks_again(hold, old.conditions, now)),
        patches=[] if stopped else _asked(run, active),
    )


def _is_tried_again(run: EvalRun, job: dict[str, Any], children: list[dict[str, Any]]) -> bool:
    """Whether another Job shall try: with more retries, or with what was changed while no pod is at work."""
    return starts_anew(run, job) or is_outdated(job, changeable_digest(run), pods_of(children, job))


def _evaluates(job: dict[str, Any], digest: str | None) -> bool:
    places = (job["spec"]["template"]["metadata"], job["metadata"])  # a Job of 0.1.0 has it on itself alone
    found = (annotations for place in places if TARGET_ANNOTATION in (annotations := place.get("annotations") or {}))
    return next(found, {}).get(TARGET_ANNOTATION, "") == (digest or "")


def _desired(run: EvalRun, rendered: list[dict[str, Any]], job: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What was rendered, until the Job is there. That goes on as it was started and is never applied again.

    A suspended run without a Job gets none: whoever holds the reins, such as a queue, would start it.
    """
    if job is None:
        return [] if run.spec.suspend else rendered
    if job_state(job) != "Active" or is_being_deleted(job) or not rendered or not follows(job, rendered[-1]):
        return []
    return [manifest for manifest in rendered if manifest["kind"] != "Job"]


def _asked(run: EvalRun, active: dict[str, Any] | None) -> list[Patch]:
    return [] if active is None or is_being_deleted(active) else asked_anew(active, wish(run))
