"""The status of a FineTuneJob: what its Jobs, pods and progress say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from swiftlet.api.v1alpha1.finetunejob import FineTuneJob
from swiftlet.api.v1alpha1.finetunejob_status import Artifact, DatasetCounts, Failure, FineTuneJobStatus
from swiftlet.api.v1alpha1.progress import Progress
from swiftlet.kinds.attempts import conditions as attempts
from swiftlet.kinds.attempts.attempt import Attempt
from swiftlet.kinds.attempts.conditions import failed, not_started
from swiftlet.kinds.attempts.course import Course
from swiftlet.kinds.attempts.decision import COMPLETE, Decision
from swiftlet.kinds.attempts.quota import quota_reserved
from swiftlet.kinds.conditions.condition import State, set_conditions
from swiftlet.kinds.conditions.tracked import tracked
from swiftlet.kinds.conditions.verdict import Verdict, refusal
from swiftlet.kinds.finetunejob.lineage import Lineage
from swiftlet.kinds.finetunejob.plan import Layout
from swiftlet.kinds.frame.progress import at_rest, reported
from swiftlet.kinds.observing.failures import last_lines, results
from swiftlet.kinds.observing.observed import ended_at
from swiftlet.kinds.pods.uploading import UPLOAD
from swiftlet.wire.messages import TerminationMessage
from swiftlet.wire.reading import read


@dataclass(frozen=True)
class View:
    """All that the status is made from."""

    job: FineTuneJob
    old: FineTuneJobStatus
    verdict: Layout | Verdict
    course: Course
    progress: dict[str, Any] | None
    lineage: Lineage = ()
    """What the run has begun with."""
    notes: Sequence[str] = ()
    """What of the profile is not used, and why; what the run starts from."""

    @property
    def decision(self) -> Decision:
        return self.course.decision

    @property
    def newest(self) -> Attempt | None:
        return self.course.newest

    @property
    def is_accepted(self) -> bool:
        return isinstance(self.verdict, Layout)

    @property
    def result(self) -> TerminationMessage | None:
        """What the finished run left."""
        if self.decision.ending != COMPLETE or not self.newest:
            return None
        return next((message for message in results(self.newest.pods) if message.artifact), None)

    @property
    def ending(self) -> tuple[str, str] | None:
        """(reason, message) of the run's end, or None while it goes on."""
        if self.decision.ending == COMPLETE:
            artifact = self.artifact
            missing = attempts.missing_result(self.course, "an artifact", "FineTuneJob")
            return ("Trained", _trained(artifact)) if artifact else ("ResultMissing", missing)
        if self.decision.ending:
            return self.decision.ending, failed(self.decision)
        return None

    @property
    def artifact(self) -> Artifact | None:
        if self.decision.ending != COMPLETE:
            return None
        return self.result.artifact if self.result else self.old.artifact


def status_of(view: View, now: datetime) -> FineTuneJobStatus:
    """The whole status."""
    newest, ending = view.newest, view.ending
    layout = view.verdict if isinstance(view.verdict, Layout) else None
    started = (newest.job.get("status") or {}).get("startTime") if newest else None
    looks = (accepted, quota, pods_ready, running, checkpointed, compiled, _tracked, suspended, succeeded)
    states = [state for look in looks if (state := look(view))]
    return FineTuneJobStatus(
        observed_generation=view.job.metadata.generation,
        conditions=set_conditions(view.old.conditions, states, view.job.metadata.generation, now),
        plan=layout.status() if layout else view.old.plan,
        progress=_progress(view),
        dataset=_dataset(view),
        restarts=view.decision.history.restarts() if view.course.attempts else view.old.restarts,
        artifact=view.artifact,
        lineage=list(view.lineage) or view.old.lineage,
        failure=_failure(view),
        last_lines=last_lines(view.result) if view.result else view.old.last_lines,
        start_time=view.old.start_time or started,
        active_seconds=view.course.active_for.seconds or None,
        active_since=view.course.active_for.since,
        completion_time=ended_at(newest.job) if newest and ending else None,
    )


def accepted(view: View) -> State:
    """Accepted: the job can run as it is written."""
    if isinstance(view.verdict, Layout):
        return State("Accepted", "True", "Planned", "; ".join(filter(None, [view.verdict.words(), *view.notes])))
    return refusal("Accepted", view.verdict)


def quota(view: View) -> State | None:
    """QuotaReserved: Kueue has quota for the pods; None where the run waits in no queue."""
    return quota_reserved(
        view.course, view.ending is not None, view.is_accepted, view.job.spec.queue, view.old.conditions
    )


def pods_ready(view: View) -> State:
    """PodsReady: every pod of the attempt runs."""
    if view.ending:
        return State("PodsReady", "False", "Finished", "the run has ended")
    if view.newest is None:
        return State("PodsReady", "False", *not_started(view.course, view.is_accepted))
    if view.job.spec.suspend:
        return State("PodsReady", "False", "Suspended", "spec.suspend is true")
    wanted = view.newest.job["spec"]["parallelism"]
    ready = (view.newest.job.get("status") or {}).get("ready") or 0
    if ready >= wanted:
        return State("PodsReady", "True", "AllPodsReady", f"{ready} of {wanted} pods run")
    if held := view.course.hold or view.course.hindered:
        return State("PodsReady", "False", *held)
    return State("PodsReady", "False", "PodsStarting", f"{ready} of {wanted} pods run")


def running(view: View) -> State:
    """Running: a pod works on the run, preparing or training."""
    return attempts.running(view.course, view.ending is not None, view.is_accepted, _work)


def checkpointed(view: View) -> State:
    """Checkpointed: a restart would not begin at step 0."""
    step = _checkpoint_step(view)
    if step:
        return State("Checkpointed", "True", "CheckpointSaved", f"step {step}")
    return State("Checkpointed", "False", "NoCheckpoint", "no checkpoint has been saved yet")


def compiled(view: View) -> State:
    """Compiled: what became of torch.compile; what was said before stands until it is said anew."""
    said = (view.progress or {}).get("compilation") or {}
    before = next((condition for condition in view.old.conditions if condition.type == "Compiled"), None)
    if before and not said:
        said = {"reason": before.reason, "message": before.message}
    reason = said.get("reason", "NotTried")
    message = said.get("message", "torch.compile has not been tried")
    return State("Compiled", "True" if reason == "Compiled" else "False", reason, message)


def _tracked(view: View) -> State | None:
    return tracked(view.job.spec.training.report_to, view.progress, view.old.conditions)


def suspended(view: View) -> State:
    """Suspended: spec.suspend, or somebody else, has stopped the pods, after a checkpoint."""
    return attempts.suspended(view.course, view.ending is not None)


def succeeded(view: View) -> State:
    """Succeeded: the summary; Unknown until the end."""
    verdict = view.verdict if isinstance(view.verdict, Verdict) else None
    return attempts.succeeded(view.course, view.ending, verdict, "Trained", running(view))


def _work(containers: list[str]) -> tuple[str, str]:
    if "train" in containers:
        return "Training", "training"
    if UPLOAD in containers:
        return "Uploading", "writing the artifact to the place that spec.export names"
    return "Preparing", "checking input and preparing data"


def _trained(artifact: Artifact) -> str:
    loss = f", final loss {artifact.final_loss}" if artifact.final_loss else ""
    return f"{artifact.steps} steps{loss}; {artifact.type} at {artifact.uri}"


def _failure(view: View) -> Failure | None:
    return None if view.decision.ending == COMPLETE else view.decision.failure


def _progress(view: View) -> Progress | None:
    said = view.result.progress if view.result else reported(view.old.progress, view.progress)
    if said is None:
        return at_rest(view.old.progress) if running(view).status == "False" else view.old.progress
    said = said.model_copy(update={"checkpoint_step": _checkpoint_step(view)})
    return at_rest(said) if running(view).status == "False" and not view.result else said


def _checkpoint_step(view: View) -> int | None:
    """The newest checkpoint that anybody has reported."""
    said = view.result.progress if view.result else None
    steps = [(view.progress or {}).get("checkpointStep"), said and said.checkpoint_step]
    steps.append(view.old.progress and view.old.progress.checkpoint_step)
    return max((step for step in steps if step), default=None)


def _dataset(view: View) -> DatasetCounts | None:
    if view.result and view.result.dataset:
        return view.result.dataset
    said = (view.progress or {}).get("dataset")
    return read(DatasetCounts, said).value if said else view.old.dataset
