"""One look at an EvalRun: observe, decide, plan, render, report."""

from datetime import datetime
from typing import Any

from swiftlet.api.evalrun import EvalRun, EvalRunStatus
from swiftlet.kinds.asked import asked_anew
from swiftlet.kinds.capabilities import Capabilities
from swiftlet.kinds.children import follows
from swiftlet.kinds.claims import unbound_claims
from swiftlet.kinds.endings import is_over, seen
from swiftlet.kinds.evalrun.plan import plan_evaluation
from swiftlet.kinds.evalrun.policies import decide, target_of
from swiftlet.kinds.evalrun.render import TARGET_ANNOTATION, child_name, render, wish
from swiftlet.kinds.evalrun.status import View, status_of
from swiftlet.kinds.events import events_of
from swiftlet.kinds.holding import asks_again, hold_of, only_deletion_stops
from swiftlet.kinds.observed import is_being_deleted, job_state, of_kind, pods_of
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
    job = next((job for job in of_kind(children, "Job") if job["metadata"]["name"] == child_name(run)), None)
    around = look_around(run, run.spec.compute, reader, capabilities)
    target = target_of(run, around)
    upstream = target if isinstance(target, Upstream) else None
    digest = upstream.artifact.digest if upstream else old.target_digest if isinstance(target, Verdict) else None
    if is_over(old.conditions, old.completion_time, job is not None) and digest == old.target_digest:
        return Outcome([], [], seen(old, run.metadata.generation, run.spec.suspend).document())
    outdated = [job] if job and not _evaluates(job, digest) else []
    current = None if outdated else job
    verdict = decide(run, target, around)
    rendered = [] if verdict else render(run, plan_evaluation(run, upstream, around), around)
    verdict = verdict or name_conflict(run, reader, rendered)
    pods = tuple(pods_of(children, current)) if current else ()
    progress = reader.progress(uid_of(run))
    active = current if current and job_state(current) == "Active" else None
    hold, stopped = hold_of(active, run.spec.suspend, reader), only_deletion_stops(active, run.spec.suspend)
    unbound, unmade = unbound_claims(pods, reader), unmade_pods(current, pods, reader, now) if current else None
    refusal = unmade.refusal if unmade else None
    view = View(run, old, verdict, digest, current, pods, progress, unbound, hold, refusal)
    status = status_of(view, now)
    return Outcome(
        desired=[] if outdated else _desired(run, [] if verdict else [*around.missing_claims(), *rendered], current),
        delete=[*(ref_of(job) for job in outdated if not is_being_deleted(job)), *stopped],
        status=status.document(),
        events=events_of(old.conditions, status.conditions),
        requeue_after=unmade.again if unmade else asks_again(hold, old.conditions, now),
        patches=[] if stopped else _asked(run, active),
    )


def _evaluates(job: dict[str, Any], digest: str | None) -> bool:
    annotations = job["metadata"].get("annotations") or {}
    return annotations.get(TARGET_ANNOTATION, "") == (digest or "")


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
