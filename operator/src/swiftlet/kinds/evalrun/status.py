"""The status of an EvalRun: what its Job and pod say, and what the gates make of the figures."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from swiftlet.api.v1alpha1.evalrun import EvalRun, EvalRunStatus, Gate, GateResult
from swiftlet.api.v1alpha1.progress import Progress
from swiftlet.kinds.attempts import conditions as attempts
from swiftlet.kinds.attempts.conditions import failed
from swiftlet.kinds.attempts.course import Course
from swiftlet.kinds.attempts.decision import COMPLETE
from swiftlet.kinds.attempts.quota import quota_reserved
from swiftlet.kinds.conditions.condition import State, set_conditions
from swiftlet.kinds.conditions.tracked import tracked
from swiftlet.kinds.conditions.verdict import Verdict, refusal
from swiftlet.kinds.evalrun.gates import evaluate_gates, failed_gates, has_figures
from swiftlet.kinds.frame.progress import at_rest, reported
from swiftlet.kinds.observing.failures import last_lines, results
from swiftlet.kinds.observing.observed import ended_at
from swiftlet.wire.messages import TerminationMessage


@dataclass(frozen=True)
class View:
    """All that the status is made from."""

    run: EvalRun
    old: EvalRunStatus
    verdict: Verdict | None
    target_digest: str | None
    course: Course
    progress: dict[str, Any] | None

    @property
    def result(self) -> TerminationMessage | None:
        """The figures of the finished evaluation."""
        newest = self.course.newest
        if self.course.decision.ending != COMPLETE or not newest:
            return None
        return next((message for message in results(newest.pods) if message.results), None)

    @property
    def ending(self) -> tuple[str, str] | None:
        """(reason, message) of the run's end, or None while it goes on. Figures that miss a gate are a failure, so that
        whoever waits for the run hears of it."""
        decision = self.course.decision
        if decision.ending == COMPLETE:
            gate = gate_passed(self)
            reason = "Evaluated" if gate.status == "True" else gate.reason
            missing = attempts.missing_result(self.course, "results", "EvalRun")
            return (reason, gate.message) if self.result else ("ResultMissing", missing)
        return (decision.ending, failed(decision)) if decision.ending else None

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


def status_of(view: View, now: datetime) -> EvalRunStatus:
    """The whole status."""
    course, result, ending = view.course, view.result, view.ending
    newest = course.newest
    started = (newest.job.get("status") or {}).get("startTime") if newest else None
    looks = (accepted, quota, running, _tracked, suspended, gate_passed, succeeded)
    states = [state for look in looks if (state := look(view))]
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
        restarts=course.decision.history.restarts() if course.attempts else view.old.restarts,
        failure=course.decision.failure,
        last_lines=last_lines(result) if result else None,
        start_time=view.old.start_time or started,
        active_seconds=course.active_for.seconds or None,
        active_since=course.active_for.since,
        completion_time=ended_at(newest.job) if newest and ending else None,
    )


def accepted(view: View) -> State:
    """Accepted: the run can be done as it is written, and its target is there."""
    if view.verdict:
        return refusal("Accepted", view.verdict)
    by_uri, count = view.run.spec.target.model, len(view.run.spec.suites)
    target = f"the model at {by_uri.adapter_uri or by_uri.uri}" if by_uri else f"artifact {view.target_digest}"
    return State("Accepted", "True", "Planned", f"{count} {'suite' if count == 1 else 'suites'} on {target}")


def quota(view: View) -> State | None:
    """QuotaReserved: Kueue has quota for the pod; None where the run waits in no queue."""
    return quota_reserved(
        view.course, view.ending is not None, view.verdict is None, view.run.spec.queue, view.old.conditions
    )


def running(view: View) -> State:
    """Running: the pod works on the evaluation."""
    return attempts.running(view.course, view.ending is not None, view.verdict is None, _work)


def _tracked(view: View) -> State | None:
    return tracked(view.run.spec.report_to, view.progress, view.old.conditions)


def suspended(view: View) -> State:
    """Suspended: spec.suspend, or somebody else, has stopped the pod."""
    return attempts.suspended(view.course, view.ending is not None)


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
    """Succeeded: the summary."""
    return attempts.succeeded(view.course, view.ending, view.verdict, "Evaluated", running(view))


def _work(containers: list[str]) -> tuple[str, str]:
    return "Evaluating", "the pod evaluates"


def _truncated(view: View) -> str:
    names = ", ".join(f"{gate.suite} {gate.metric}" if gate.suite else gate.metric for gate in view.undecided)
    report = f" ({view.result.report.uri})" if view.result and view.result.report else ""
    return (
        f"{names}: the figures did not fit into the pod's message and are in the report alone{report}; give the suites"
        " shorter names, or split them over several EvalRuns"
    )


def _progress(view: View) -> Progress | None:
    if not view.course.attempts:
        return None
    said = reported(view.old.progress, view.progress) or view.old.progress
    return at_rest(said) if running(view).status == "False" else said
