"""The Suspended condition of bounded work."""

from collections.abc import Sequence

from swiftlet.api.base import Condition
from swiftlet.kinds.conditions.condition import State


def suspended_state(wanted: bool, ended: bool, stopped: bool, old: Sequence[Condition]) -> State:
    """Suspended, from spec.suspend, whether the work has ended, and whether its pods are gone."""
    if not wanted:
        before = next((condition for condition in old if condition.type == "Suspended"), None)
        resumed = before is not None and (before.status == "True" or before.reason == "Resumed")
        return State("Suspended", "False", "Resumed" if resumed else "NotSuspended", "spec.suspend is false")
    if ended:
        return State("Suspended", "False", "Finished", "the work has ended")
    if stopped:
        return State("Suspended", "True", "UserRequested", "spec.suspend is true; set it to false to go on")
    return State("Suspended", "Unknown", "Suspending", "the pods are being stopped")
