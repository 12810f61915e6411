"""Whether a resource has reached its end, as people and exit codes ask it."""

from typing import Any, Literal

from swiftlet.api import KINDS
from swiftlet.kinds.conditions.condition import find_condition, has_condition


def settled(resource: dict[str, Any]) -> Literal["succeeded", "failed"] | None:
    """`succeeded` or `failed` when nothing more will happen by itself, None while something will.

    A ComputeProfile is data and always `succeeded`. A status that is about an older spec settles nothing.
    """
    if resource["kind"] == "ComputeProfile":
        return "succeeded"
    if ((resource.get("status") or {}).get("observedGeneration")) != resource["metadata"].get("generation"):
        return None
    summary = find_condition(resource, KINDS[resource["kind"]].summary_condition)
    if summary is None or summary["status"] == "Unknown":
        return None
    if summary["status"] == "True" or summary["reason"] == "ScaledToZero":
        return "succeeded"
    if summary["type"] == "Ready" and not has_condition(resource, "Progressing", "False"):
        return None
    return "failed"
