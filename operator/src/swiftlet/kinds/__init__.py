"""The planners: one pure, level-based reconciler per kind. Nothing here knows which engine executes the plans."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from swiftlet.kinds.evalrun.reconcile import reconcile as reconcile_evalrun
from swiftlet.kinds.finetunejob.reconcile import reconcile as reconcile_finetunejob
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.kinds.frame.outcome import Event, ObjectRef, Outcome
from swiftlet.kinds.frame.reading import OWNER_LABEL, Reader
from swiftlet.kinds.modeldeployment.reconcile import reconcile as reconcile_modeldeployment
from swiftlet.kinds.references.watched import references

Reconciler = Callable[[dict[str, Any], Reader, datetime, Capabilities], Outcome]

RECONCILERS: dict[str, Reconciler] = {
    "FineTuneJob": reconcile_finetunejob,
    "EvalRun": reconcile_evalrun,
    "ModelDeployment": reconcile_modeldeployment,
}
"""The reconciler of each kind that has one; a ComputeProfile is only read."""

__all__ = [
    "OWNER_LABEL",
    "RECONCILERS",
    "Capabilities",
    "Event",
    "ObjectRef",
    "Outcome",
    "Reader",
    "Reconciler",
    "references",
]
