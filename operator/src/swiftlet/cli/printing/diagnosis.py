"""Why a resource is not where it should be, and what to do: the lines that a person reads first."""

from pathlib import Path
from typing import Any

from swiftlet.api import KINDS
from swiftlet.cli.places import last_log
from swiftlet.kinds.conditions.condition import find_condition

Object = dict[str, Any]
TRACEBACK_LINES = 12
ON_THIS_MACHINE, ON_A_CLUSTER = "`swiftlet run --replace`", "apply it under a new name, or delete it and apply it again"
"""How what has failed is tried once more."""

NEXT_STEPS = {
    "OOMKilled": "raise compute.resources.limits.memory, or lower training.perDeviceBatchSize or template.maxLength",
    "InvalidInput": "correct what the message names, then {again}",
    "Diverged": "lower training.learningRate, or look at the rows of the last steps; then give the run a new name",
    "DeadlineExceeded": "raise activeDeadlineSeconds; the run goes on",
    "BackoffLimitExceeded": "correct the cause, then {again}",
    "GateFailed": "look at the answers in the report; train longer or on more rows, or change the gate",
}


def summary_condition(item: Object) -> Object:
    """The condition that says whether a resource of ours reached its end (Succeeded or Ready); empty when not yet."""
    return find_condition(item, KINDS[item["kind"]].summary_condition) or {}


def explain(item: Object, state: Path | None) -> list[str]:
    """Lines about a failure: what, where, the traceback's end, the log, the next step. Empty when nothing failed.

    state: the state folder on this machine; None on a cluster.
    """
    status = item.get("status") or {}
    failure = status.get("failure") or {}
    condition = summary_condition(item)
    if condition.get("status") == "True" or not (failure or condition.get("status") == "False"):
        return []
    reason = failure.get("reason") or condition.get("reason", "")
    message = failure.get("message") or condition.get("message", "")
    lines = [f"{item['kind'].lower()}/{item['metadata']['name']}: {reason}: {message}"]
    pod = failure.get("pod")
    where = [
        f"pod {pod}" if pod else "",
        f"rank {failure['rank']}" if failure.get("rank") is not None else "",
        f"exit code {failure['exitCode']}" if failure.get("exitCode") is not None else "",
    ]
    if any(where):
        lines.append("  in:    " + ", ".join(part for part in where if part))
    if failure.get("traceback"):
        lines += ["  trace: " + line for line in failure["traceback"].rstrip().splitlines()[-TRACEBACK_LINES:]]
    log = last_log(state, item["metadata"].get("namespace") or "default", pod) if pod and state else None
    if log:
        lines.append(f"  log:   {log}")
    step = NEXT_STEPS.get(reason) or NEXT_STEPS.get(condition.get("reason", ""))
    again = ON_THIS_MACHINE if state else ON_A_CLUSTER
    lines.append(f"  next:  {step.format(again=again) if step else default_step(item, pod)}")
    return lines


def default_step(item: Object, pod: str | None) -> str:
    """Where to look when no remedy is known."""
    if pod:
        return f"swiftlet logs {pod}"
    return f"swiftlet describe {item['kind'].lower()} {item['metadata']['name']}"
