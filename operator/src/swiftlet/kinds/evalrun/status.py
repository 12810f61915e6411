"""The status of an EvalRun: what its Job and pod say, and what the gates make of the figures."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from swiftlet.api.evalrun import EvalRun, EvalRunStatus, Gate, GateResult
from swiftlet.api.finetunejob import Failure
from swiftlet.api.progress import Progress
from swiftlet.kinds.conditions import State, find_condition, set_conditions
from swiftlet.kinds.evalrun.gates import evaluate_gates, failed_gates, has_figures
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

RESULT_MISSING = (
    "the Job completed, but its pod left no results, neither in its termination message nor on the volume; look at the"
    " pod's log, then delete the EvalRun and create it again"
)
LOST = "the Job completed, but its pod is gone and nobody has read its figures; another one reports what it left"
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
    lost: datetime | None = None
    """When another pod is made, since nobody has read what that of the completed Job said; then there is no `job`."""

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
        """What became of the gates; of those whose figure was left out for want of room nothing is known."""
        if self.result is None:
            return []
        return evaluate_gates([gate for gate in self.run.spec.gates if gate not in self.undecided], self.result.results)

    @property
    def undecided(self) -> list[Gate]:
        """Gates whose figure did not fit into the message."""
        if self.result is None or "results" not in self.result.truncated:
            return []
        return [gate for gate in self.run.spec.gates if not has_figures(gate, self.result.results)]

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
        measured=result.measured if result else None,
        results=result.results if result else [],
        comparison=result.comparison if result else [],
        truncated=(result.truncated or None) if result else None,
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
    by_uri, count = view.run.spec.target.model, len(view.run.spec.suites)
    target = f"the model at {by_uri.adapter_uri or by_uri.uri}" if by_uri else f"artifact {view.target_digest}"
    return State("Accepted", "True", "Planned", f"{count} {'suite' if count == 1 else 'suites'} on {target}")


def running(view: View) -> State:
    """Running: the pod works on the evaluation."""
    if view.lost:
        return State("Running", "False", "Retrying", LOST)
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
    if not view.run.spec.gates:
        return State("GatePassed", "True", "NoGates", "spec.gates is empty")
    failed = failed_gates(view.gates)
    if failed:
        return State("GatePassed", "False", "GateFailed", failed)
    if view.undecided:
        return State("GatePassed", "Unknown", "ResultsTruncated", _truncated(view))
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
        if gate.status == "True":
            return State("Succeeded", "True", "Evaluated", gate.message)
        return State("Succeeded", "False", gate.reason, gate.message)
    if view.verdict and view.job is None:
        return refusal("Succeeded", view.verdict)
    if view.run.spec.suspend:
        return State("Succeeded", "Unknown", "Suspended", suspended(view).message)
    return State("Succeeded", "Unknown", running(view).reason, running(view).message)


def _truncated(view: View) -> str:
    names = ", ".join(f"{gate.suite} {gate.metric}" if gate.suite else gate.metric for gate in view.undecided)
    report = f" ({view.result.report.uri})" if view.result and view.result.report else ""
    return (
        f"{names}: the figures did not fit into the pod's message and are in the report alone{report}; give the suites"
        " shorter names, or split them over several EvalRuns"
    )


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
