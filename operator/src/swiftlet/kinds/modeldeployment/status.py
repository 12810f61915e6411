"""The status of a ModelDeployment: what its Deployment and pods say."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from swiftlet.api.v1alpha1.modeldeployment import ModelDeployment, ModelDeploymentStatus
from swiftlet.kinds.conditions.condition import State, find_condition, set_conditions
from swiftlet.kinds.conditions.verdict import Verdict, refusal
from swiftlet.kinds.modeldeployment.crashes import Crash, last_crash
from swiftlet.kinds.modeldeployment.history import Revision
from swiftlet.kinds.modeldeployment.quota import queued
from swiftlet.kinds.modeldeployment.render import child_name, selector
from swiftlet.kinds.modeldeployment.rollout import Rollout
from swiftlet.kinds.observing.holding import hand_on
from swiftlet.kinds.observing.observed import obstacle, stopped
from swiftlet.kinds.observing.unmade import replica_failure
from swiftlet.kinds.owning.ownership import namespace_of
from swiftlet.wire.messages import NEVER_RETRIED

RESTARTS_BEFORE_STUCK = 3
"""A server that has died this often since it last was ready will hardly get well by itself."""


@dataclass(frozen=True)
class View:
    """All that the status is made from."""

    deployment: ModelDeployment
    old: ModelDeploymentStatus
    names: list[str]
    """That are or will be answered, as far as nothing stands against them."""
    asked: Revision | None
    """The revision that all pods are to become; None while it is held back."""
    history: tuple[Revision, ...]
    ready_by_digest: dict[str, int]
    """Pods that are ready, by their revision."""
    verdict: Verdict | None
    gate: Verdict | None
    child: dict[str, Any] | None
    pods: tuple[dict[str, Any], ...]
    progress: dict[str, Any] | None
    service_url: str
    replicas: int
    """As many pods as there are to be, whoever says so."""
    up_to_date: bool
    unbound: dict[str, str] = field(default_factory=dict)
    """Claims that keep a pod from being scheduled, in words."""
    quota: State | None = None
    """QuotaReserved, where the pods wait in a queue."""

    @property
    def counts(self) -> dict[str, Any]:
        return (self.child or {}).get("status") or {}

    @property
    def crash(self) -> Crash | None:
        """The newest crash, as long as not every pod is ready."""
        return None if self._all_ready else last_crash(self.pods)

    @property
    def stopped(self) -> str | None:
        """Why no pod is at work, and what had failed before (`kinds.observed.stopped`)."""
        why, failure = stopped(self.pods), self.old.failure
        return f"{failure.reason}: {failure.message}; then {why}" if why and failure else why

    @property
    def _all_ready(self) -> bool:
        wanted = self.replicas
        return wanted > 0 and (self.counts.get("readyReplicas") or 0) >= wanted

    @property
    def is_rolled_out(self) -> bool:
        """Whether the present plan, and nothing else, serves. As `kubectl rollout status` decides it."""
        if self.child is None or not self.up_to_date or self.verdict or self.gate:
            return False
        wanted, counts = self.replicas, self.counts
        is_observed = counts.get("observedGeneration", 0) >= self.child["metadata"].get("generation", 0)
        numbers = [counts.get(name) or 0 for name in ("updatedReplicas", "availableReplicas", "readyReplicas")]
        return is_observed and min(numbers) >= wanted and (counts.get("replicas") or 0) <= wanted

    @property
    def is_serving(self) -> bool:
        """Whether anything answers, be it of an older plan."""
        return (self.counts.get("availableReplicas") or 0) > 0

    @property
    def obstacle(self) -> Verdict | None:
        return self.verdict or self.gate

    @cached_property
    def rollout(self) -> Rollout:
        ready = self.counts.get("readyReplicas") or 0
        return Rollout(self.asked, self.history, self.ready_by_digest, ready, self.is_rolled_out)

    @property
    def returned_to(self) -> int | None:
        """The revision that spec.rollbackTo names."""
        found = self.deployment.spec.rollback_to
        return found.revision if found else None


def status_of(view: View, now: datetime) -> ModelDeploymentStatus:
    """The whole status."""
    quota = [view.quota] if view.quota else []
    states = [accepted(view), gates_passed(view), *quota, progressing(view), ready(view)]
    crash, rolled_out, asked = view.crash, view.is_rolled_out, view.asked
    # An engine that has restarted has heard nothing yet.
    said = view.progress or {"message": view.old.progress}
    return ModelDeploymentStatus(
        observed_generation=view.deployment.metadata.generation,
        conditions=set_conditions(view.old.conditions, states, view.deployment.metadata.generation, now),
        replicas=view.counts.get("replicas") or 0,
        selector=",".join(f"{name}={value}" for name, value in selector(view.deployment).items()),
        ready_replicas=view.counts.get("readyReplicas") or 0,
        engine=said.get("engine") or (view.old.engine if view.child else None),
        quantization=said.get("quantization") if said.get("engine") or not view.child else view.old.quantization,
        task=said.get("task") if said.get("engine") or not view.child else view.old.task,
        served_names=_names(view),
        url=_url(view) if view.child else None,
        model_digest=asked.model_digest if asked else view.old.model_digest if view.child else None,
        current_revision=view.rollout.current(view.old),
        update_revision=asked.number if asked else view.old.update_revision if view.child else None,
        revisions=view.rollout.revisions(view.old, now),
        failure=crash.failure if crash else view.old.failure if view.stopped else None,
        progress=None if rolled_out or not view.child or view.stopped else said.get("message"),
    )


def accepted(view: View) -> State:
    """Accepted: the document can be served as it is written, and its model is there."""
    if view.verdict:
        return refusal("Accepted", view.verdict)
    names = f"serves {', '.join(view.names)}"
    if view.returned_to is not None:
        return State("Accepted", "True", "RolledBack", f"revision {view.returned_to}, as spec.rollbackTo says, {names}")
    return State("Accepted", "True", "Planned", names)


def gates_passed(view: View) -> State:
    """GatesPassed: every required EvalRun's gates hold for this very model."""
    if view.gate:
        return refusal("GatesPassed", view.gate)
    if view.returned_to is not None and view.asked is None:
        return State("GatesPassed", "Unknown", "RolledBack", "see Accepted")
    if view.returned_to is not None:
        return State("GatesPassed", "True", "RolledBack", f"revision {view.returned_to} passed when it was new")
    names = [requirement.eval_run_ref.name for requirement in view.deployment.spec.requires]
    if not names:
        return State("GatesPassed", "True", "NoGates", "spec.requires is empty")
    return State("GatesPassed", "True", "AllGatesPassed", f"EvalRun {', '.join(names)}")


def progressing(view: View) -> State:
    """Progressing: something happens towards Ready. False together with Ready False: somebody has to act."""
    if view.obstacle:
        return refusal("Progressing", view.obstacle)
    if view.is_rolled_out:
        return State("Progressing", "False", "RolledOut", "the present plan serves")
    if view.stopped:
        return State("Progressing", "Unknown", "Stopped", view.stopped)
    if held := queued(view.quota):
        return State("Progressing", "Unknown", *held)
    crash = view.crash
    if crash and (crash.failure.exit_code in NEVER_RETRIED or crash.restarts >= RESTARTS_BEFORE_STUCK):
        reason = "InvalidInput" if crash.failure.exit_code in NEVER_RETRIED else "CrashLooping"
        return State("Progressing", "False", reason, _crashed(crash))
    if unmade := replica_failure(view.child):
        return State("Progressing", "False", *unmade.state)
    stalled = find_condition(view.child, "Progressing")
    if stalled and stalled["status"] == "False":
        why = ": ".join(obstacle(view.pods, view.unbound) or ())
        return State("Progressing", "False", stalled["reason"], "; ".join(filter(None, [stalled.get("message"), why])))
    return State("Progressing", "True", "RollingOut", f"{view.counts.get('updatedReplicas') or 0} pods of the plan run")


def ready(view: View) -> State:
    """Ready: the summary. Every pod of the present plan has answered a token under each served name."""
    state = _ready(view)
    said = [state.message, _scaled(view), _returned(view), _older(view)]
    return state._replace(message="; ".join(filter(None, said)))


def _ready(view: View) -> State:
    if view.obstacle:
        return _held_back(view, view.obstacle)
    if view.is_rolled_out and view.replicas == 0:
        return State("Ready", "False", "ScaledToZero", "" if _scaled(view) else "spec.replicas is 0")
    if view.is_rolled_out:
        return State("Ready", "True", "Available", f"each served name answers{_engine(view)}")
    hindered = queued(view.quota) or obstacle(view.pods, view.unbound)
    if view.crash:
        return State("Ready", "False", "ServerFailed", _crashed(view.crash))
    if view.stopped:
        return State("Ready", "False", "Stopped", view.stopped)
    if hindered:
        return State("Ready", "False", *hindered)
    if unmade := replica_failure(view.child):
        return State("Ready", "False", *unmade.state)
    wanted, there = view.replicas, view.counts.get("readyReplicas") or 0
    was_ready = any(condition.type == "Ready" and condition.reason == "Available" for condition in view.old.conditions)
    was_down = any(condition.type == "Ready" and condition.reason == "Unavailable" for condition in view.old.conditions)
    reason = "Unavailable" if view.up_to_date and (was_ready or was_down) else "RollingOut"
    return State("Ready", "False", reason, f"{there} of {wanted} pods are ready")


def _scaled(view: View) -> str:
    """Who else has set the number of pods; empty when nobody has."""
    asked = view.deployment.spec.replicas
    if view.child is None or view.replicas == asked:
        return ""
    who = hand_on(view.child, "replicas")
    return f"{view.replicas} replicas are set on the Deployment by {who}, not by spec.replicas ({asked})"


def _returned(view: View) -> str:
    """That the spec is not what serves, and how it would be."""
    if view.returned_to is None or view.obstacle:
        return ""
    return f"revision {view.returned_to}, until spec.rollbackTo is removed"


def _older(view: View) -> str:
    """What goes on serving while a rollout is under way, or gets nowhere."""
    numbers = ", ".join(map(str, view.rollout.older()))
    return f"revision {numbers} goes on serving" if numbers and not view.obstacle else ""


def _held_back(view: View, verdict: Verdict) -> State:
    """A refusal is told even while an older plan serves; a wait does not take away what serves."""
    if verdict.waits and view.is_serving and _was_ready(view):
        return State("Ready", "True", "Available", f"the last rollout serves; the next one: {verdict.message}")
    serving = "; the last rollout goes on serving" if view.is_serving else ""
    return State("Ready", "False", verdict.reason, verdict.message + serving)


def _was_ready(view: View) -> bool:
    return any(condition.type == "Ready" and condition.status == "True" for condition in view.old.conditions)


def _names(view: View) -> list[str]:
    """The names that are or will be answered; those of the last rollout while the next one is held back."""
    return view.old.served_names if view.obstacle and view.child else view.names


def _url(view: View) -> str:
    """Where what is asked for answers; while it is held back, where the last rollout does."""
    if view.obstacle and view.old.url:
        return view.old.url
    port = view.asked.document["port"] if view.asked else view.deployment.spec.api.port
    service, namespace = child_name(view.deployment), namespace_of(view.deployment)
    return view.service_url.format(service=service, namespace=namespace, port=port)


def _engine(view: View) -> str:
    said = view.progress or {}
    if not said.get("engine"):
        return ""
    return f" on {said['engine']}" + (f" ({said['reason']})" if said.get("reason") else "")


def _crashed(crash: Crash) -> str:
    code = f"exit code {crash.failure.exit_code}, " if crash.failure.exit_code is not None else ""
    return f"{crash.failure.reason}: {crash.failure.message} ({code}{crash.restarts} restarts)"
