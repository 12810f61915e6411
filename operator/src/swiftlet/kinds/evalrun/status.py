"""The status of an EvalRun: what its Job and pod say, and what the gates make of the figures."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from swiftlet.api.evalrun import EvalRun, EvalRunStatus, GateResult
from swiftlet.api.finetunejob import Failure
from swiftlet.api.progress import Progress
from swiftlet.kinds.conditions import State, Truth, find_condition, set_conditions
from swiftlet.kinds.evalrun.gates import evaluate_gates, failed_gates
from swiftlet.kinds.failures import last_death, results, unreadable_results
from swiftlet.kinds.given import given
from swiftlet.kinds.holding import Hold
from swiftlet.kinds.observed import (
    NODE_LOST,
    JobState,
    ended_at,
    is_suspended,
    job_state,
    obstacle,
    running_container,
    stopped,
)
from swiftlet.kinds.progress import at_rest, reported
from swiftlet.kinds.refusals import Refusal
from swiftlet.kinds.suspension import suspended_state
from swiftlet.kinds.verdict import Verdict, refusal
from swiftlet.wire.messages import EXIT_DIVERGED, EXIT_INVALID, TerminationMessage

RESULT_MISSING = "the Job completed, but its pod left no results in its termination message; look at the pod's log"
UNREADABLE = "the Job completed, and what its pod left cannot be understood"
INPUT_ENDINGS = {EXIT_INVALID: "InvalidInput", EXIT_DIVERGED: "Diverged"}


@dataclass(frozen=True)
class View:
    """All that the status is made from. `job` is None when there is none for the present target."""

    run: EvalRun
    old: EvalRunStatus
    verdict: Verdict | None
    target_digest: str | None
    job: dict[str, Any] | None
    pods: tuple[dict[str, Any], ...]
    progress: dict[str, Any] | None
    unbound: dict[str, str] = field(default_factory=dict)
    """Claims that keep the pod from being scheduled, in words."""
    hold: Hold | None = None
    """Who else keeps the Job suspended, and why."""
    unmade: Refusal | None = None
    """Why the pod cannot be made."""

    @property
    def state(self) -> JobState | None:
        return job_state(self.job) if self.job else None

    @property
    def result(self) -> TerminationMessage | None:
        """The figures of the finished evaluation."""
        if self.state != "Complete":
            return None
        return next((message for message in results(self.pods) if message.results), None)

    @property
    def gates(self) -> list[GateResult]:
        return evaluate_gates(self.run.spec.gates, self.result.results) if self.result else []

    @property
    def failure(self) -> Failure | None:
        """Why the newest pod that failed did; remembered when the pod is gone; the Job's own words at the end."""
        if self.job is None or self.state == "Complete":
            return None
        suspended = self.run.spec.suspend or self.job["spec"].get("suspend")
        is_over = suspended or (self.state == "Active" and stopped(self.pods))
        death = None if is_over else last_death(self.pods)
        if death:
            return death.failure
        name = self.job["metadata"]["name"]
        if self.old.failure and (self.old.failure.pod or "").startswith(f"{name}-"):
            return self.old.failure
        failed = find_condition(self.job, "Failed")
        if failed is None or failed["status"] != "True":
            return None
        return Failure(reason=failed.get("reason") or "JobFailed", message=failed.get("message") or "")


def status_of(view: View, now: datetime) -> EvalRunStatus:
    """The whole status."""
    result, started = view.result, (view.job.get("status") or {}).get("startTime") if view.job else None
    states = [accepted(view), running(view), suspended(view), gate_passed(view), succeeded(view)]
    return EvalRunStatus(
        observed_generation=view.run.metadata.generation,
        conditions=set_conditions(view.old.conditions, states, view.run.metadata.generation, now),
        target_digest=view.target_digest,
        progress=_progress(view),
        results=result.results if result else [],
        comparison=result.comparison if result else [],
        gates=view.gates,
        report=result.report if result else None,
        failure=view.failure,
        start_time=started,
        completion_time=ended_at(view.job) if view.job and view.state != "Active" else None,
    )


def accepted(view: View) -> State:
    """Accepted: the run can be done as it is written, and its target is there."""
    if view.verdict:
        return refusal("Accepted", view.verdict)
    target = f"artifact {view.target_digest}" if view.target_digest else "model by URI"
    return State("Accepted", "True", "Planned", f"{len(view.run.spec.suites)} suites on {target}")


def running(view: View) -> State:
    """Running: the pod works on the evaluation."""
    if view.job is None:
        reason = "NotAccepted" if view.verdict else "Suspended" if view.run.spec.suspend else "JobCreating"
        return State("Running", "False", reason, "the evaluation has not started")
    if view.state != "Active":
        return State("Running", "False", "Finished", "the evaluation has ended")
    hindered = obstacle(view.pods, view.unbound) or (view.unmade.state if view.unmade else None)
    if hindered and hindered[0] == NODE_LOST:
        return State("Running", "Unknown", *hindered)
    if any(running_container(pod) for pod in view.pods):
        return State("Running", "True", "Evaluating", "the pod evaluates")
    if view.hold:
        return State("Running", "False", *view.hold)
    if hindered:
        return State("Running", "False", *hindered)
    if view.run.spec.suspend:
        return State("Running", "False", "Suspended", "spec.suspend is true")
    failure = view.failure
    if failure:
        return State("Running", "False", "Retrying", f"after {failure.reason}: {failure.message}")
    return State("Running", "False", "PodsStarting", "the pod has not started")


def suspended(view: View) -> State:
    """Suspended: spec.suspend, or somebody else, has stopped the pod."""
    ended = view.state in ("Complete", "Failed")
    stopped = view.job is None or is_suspended(view.job)
    if view.hold:
        return State("Suspended", "True" if stopped or not view.pods else "Unknown", *view.hold)
    return suspended_state(view.run.spec.suspend, ended, stopped, view.old.conditions)


def gate_passed(view: View) -> State:
    """GatePassed: every gate holds."""
    if view.result is None:
        return State("GatePassed", "Unknown", "NotEvaluated", "there are no figures yet")
    if not view.gates:
        return State("GatePassed", "True", "NoGates", "spec.gates is empty")
    failed = failed_gates(view.gates)
    if failed:
        return State("GatePassed", "False", "GateFailed", failed)
    return State("GatePassed", "True", "AllGatesPassed", "; ".join(gate.message for gate in view.gates))


def succeeded(view: View) -> State:
    """Succeeded: the summary. Figures that miss a gate are a failure, so that whoever waits for the run hears of it."""
    if view.state == "Failed":
        return State("Succeeded", "False", *_failed(view))
    if view.state == "Complete":
        if view.result is None:
            skew = unreadable_results(view.pods)
            return State("Succeeded", "False", "ResultMissing", f"{UNREADABLE}: {skew}" if skew else RESULT_MISSING)
        gate = gate_passed(view)
        truth: Truth = "False" if gate.status == "False" else "True"
        return State("Succeeded", truth, "GateFailed" if truth == "False" else "Evaluated", gate.message)
    if view.verdict and view.job is None:
        return refusal("Succeeded", view.verdict)
    if view.run.spec.suspend:
        return State("Succeeded", "Unknown", "Suspended", suspended(view).message)
    return State("Succeeded", "Unknown", running(view).reason, running(view).message)


def _failed(view: View) -> tuple[str, str]:
    failure = given(view.failure)
    reason = (find_condition(view.job, "Failed") or {}).get("reason") or "JobFailed"
    reason = INPUT_ENDINGS.get(failure.exit_code or 0, reason)
    code = f" (exit code {failure.exit_code})" if failure.exit_code is not None else ""
    return reason, f"{failure.reason}: {failure.message}{code}"


def _progress(view: View) -> Progress | None:
    if view.job is None:
        return None
    said = reported(view.old.progress, view.progress) or view.old.progress
    return at_rest(said) if running(view).status == "False" else said
