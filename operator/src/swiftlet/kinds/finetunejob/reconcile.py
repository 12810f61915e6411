"""One look at a FineTuneJob: observe, decide, plan, render, report."""

from datetime import datetime
from functools import partial
from typing import Any

from swiftlet.api.v1alpha1.finetunejob import FineTuneJob
from swiftlet.api.v1alpha1.finetunejob_status import FineTuneJobStatus
from swiftlet.kinds.attempts.attempt import attempts_of
from swiftlet.kinds.attempts.backends.choice import choose
from swiftlet.kinds.attempts.course import Course, course_of
from swiftlet.kinds.attempts.outcome import outcome_of
from swiftlet.kinds.children.network_policy import surplus_policies
from swiftlet.kinds.conditions.endings import is_over, seen
from swiftlet.kinds.conditions.verdict import Verdict
from swiftlet.kinds.finetunejob.lineage import Lineage, lineage_of, words
from swiftlet.kinds.finetunejob.plan import Layout, plan_run
from swiftlet.kinds.finetunejob.policies import decide
from swiftlet.kinds.finetunejob.render import attempt_name, changeable_digest, render
from swiftlet.kinds.finetunejob.status import View, status_of
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.kinds.frame.outcome import Outcome
from swiftlet.kinds.frame.reading import Reader
from swiftlet.kinds.owning.ownership import name_conflict, namespace_of, uid_of
from swiftlet.kinds.pods.fabric import fabric_note
from swiftlet.kinds.surroundings import Surroundings, look_around


def reconcile(resource: dict[str, Any], reader: Reader, now: datetime, capabilities: Capabilities) -> Outcome:
    """What should be there for `resource` (defaulted and valid), and what its status should say."""
    job = FineTuneJob.model_validate(resource)
    old = job.status or FineTuneJobStatus()
    children = reader.children(namespace_of(job), uid_of(job))
    attempts = attempts_of(partial(attempt_name, job), children)
    if is_over(old.conditions, old.completion_time, bool(attempts)):
        return Outcome([], [], seen(old, job.metadata.generation, job.spec.suspend).document())
    around = look_around(job, job.spec.compute, reader, capabilities)
    course = course_of(job, old, attempts, "artifact", changeable_digest(job), reader, now)
    lineage = lineage_of(job, attempts, around)
    verdict = decide(job, lineage, around)
    rendered = _rendered(job, verdict, lineage, course, around)
    verdict = name_conflict(job, reader, children, rendered) or verdict
    planned = [*around.missing_claims(), *rendered] if rendered and isinstance(verdict, Layout) else []
    has_begun = attempts or (planned and not job.spec.suspend)
    begun = lineage if has_begun and not isinstance(lineage, Verdict) else ()
    notes = fabric_note(around.profile, capabilities), words(begun)
    view = View(job, old, verdict, course, reader.progress(uid_of(job)), begun, notes)
    status = status_of(view, now)
    return outcome_of(job, course, planned, surplus_policies(children, around), status, now)


def _rendered(
    job: FineTuneJob,
    verdict: Layout | Verdict,
    lineage: Lineage | Verdict,
    course: Course,
    around: Surroundings,
) -> list[dict[str, Any]]:
    backend = choose(job.spec.backend, around)
    if isinstance(verdict, Verdict) or isinstance(lineage, Verdict) or isinstance(backend, Verdict):
        return []
    if not course.decision.wants_job:
        return []
    return render(job, plan_run(job, verdict, lineage, around), around, course, backend)
