"""One look at a FineTuneJob: observe, decide, plan, render, report."""

from datetime import datetime
from typing import Any

from swiftlet.api.finetunejob import FineTuneJob, FineTuneJobStatus
from swiftlet.kinds.active_time import ActiveTime, active_time
from swiftlet.kinds.asked import asked_anew
from swiftlet.kinds.capabilities import Capabilities
from swiftlet.kinds.children import follows, is_outdated
from swiftlet.kinds.claims import unbound_claims
from swiftlet.kinds.endings import is_over, seen
from swiftlet.kinds.events import events_of
from swiftlet.kinds.fabric import fabric_note
from swiftlet.kinds.finetunejob.attempts import Attempt, attempts_of, changeable_digest
from swiftlet.kinds.finetunejob.decision import Decision, decide_attempt
from swiftlet.kinds.finetunejob.plan import Layout, plan_run
from swiftlet.kinds.finetunejob.policies import decide
from swiftlet.kinds.finetunejob.render import render, wish
from swiftlet.kinds.finetunejob.status import View, status_of
from swiftlet.kinds.holding import asks_again, hold_of, only_deletion_stops
from swiftlet.kinds.network_policy import surplus_policies
from swiftlet.kinds.observed import is_being_deleted
from swiftlet.kinds.outcome import ObjectRef, Outcome, Patch, ref_of
from swiftlet.kinds.ownership import name_conflict, namespace_of, uid_of
from swiftlet.kinds.reading import Reader
from swiftlet.kinds.surroundings import Surroundings, look_around
from swiftlet.kinds.unmade import unmade_pods
from swiftlet.kinds.verdict import Verdict

KEPT_ATTEMPTS = 3
"""Newest attempts whose Jobs are kept, so that their pods and logs can be looked at."""


def reconcile(resource: dict[str, Any], reader: Reader, now: datetime, capabilities: Capabilities) -> Outcome:
    """What should be there for `resource` (defaulted and valid), and what its status should say."""
    job = FineTuneJob.model_validate(resource)
    old = job.status or FineTuneJobStatus()
    children = reader.children(namespace_of(job), uid_of(job))
    attempts = attempts_of(job, children)
    if is_over(old.conditions, old.completion_time, bool(attempts)):
        return Outcome([], [], seen(old, job.metadata.generation, job.spec.suspend).document())
    around = look_around(job, job.spec.compute, reader, capabilities)
    newest = attempts[-1] if attempts else None
    active_for = active_time(ActiveTime(old.active_seconds or 0, old.active_since), newest.job if newest else None, now)
    decision = decide_attempt(job, attempts, old, now, active_for.seconds)
    verdict = decide(job, around)
    rendered = _rendered(job, verdict, decision, around)
    verdict = name_conflict(job, reader, rendered) or verdict
    planned = [*around.missing_claims(), *rendered] if rendered and isinstance(verdict, Layout) else []
    active = newest.job if newest and newest.state == "Active" else None
    made_again = newest is not None and is_outdated(newest.job, changeable_digest(job), newest.pods)
    stopped = [ref_of(newest.job)] if newest and made_again else only_deletion_stops(active, job.spec.suspend)
    unmade = unmade_pods(active, attempts[-1].pods, reader, now) if active else None
    view = View(
        job=job,
        old=old,
        verdict=verdict,
        decision=decision,
        attempts=tuple(attempts),
        progress=reader.progress(uid_of(job)),
        unbound=unbound_claims(attempts[-1].pods if attempts else (), reader),
        unmade=unmade.refusal if unmade else None,
        note=fabric_note(around.profile, capabilities),
        hold=hold_of(active, job.spec.suspend, reader),
        active_for=active_for,
    )
    status = status_of(view, now)
    wait = (decision.starts_at - now).total_seconds() if decision.starts_at else unmade.again if unmade else None
    return Outcome(
        desired=[] if stopped else _desired(job, planned, active),
        delete=[*_outdated(attempts), *stopped, *surplus_policies(children, around)],
        status=status.document(),
        events=events_of(old.conditions, status.conditions),
        requeue_after=wait or asks_again(view.hold, old.conditions, now),
        patches=[] if stopped else _asked(job, decision, active),
    )


def _rendered(
    job: FineTuneJob, verdict: Layout | Verdict, decision: Decision, around: Surroundings
) -> list[dict[str, Any]]:
    if isinstance(verdict, Verdict) or not decision.wants_job:
        return []
    return render(job, plan_run(job, verdict, around), around, decision.number, decision.history)


def _desired(job: FineTuneJob, rendered: list[dict[str, Any]], active: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What was rendered, until the attempt's Job is there. That goes on as it was started and is never applied again.

    A suspended run without a Job gets none: whoever holds the reins, such as a queue, would start it.
    """
    if active is None:
        return [] if job.spec.suspend else rendered
    if is_being_deleted(active) or not rendered or not follows(active, rendered[-1]):
        return []
    return [manifest for manifest in rendered if manifest["kind"] != "Job"]


def _asked(job: FineTuneJob, decision: Decision, active: dict[str, Any] | None) -> list[Patch]:
    if active is None or is_being_deleted(active):
        return []
    return asked_anew(active, wish(job, decision.history))


def _outdated(attempts: list[Attempt]) -> list[ObjectRef]:
    return [ref_of(attempt.job) for attempt in attempts[:-KEPT_ATTEMPTS] if not is_being_deleted(attempt.job)]
