"""Which revision is asked for: that of the present spec, or the one of the history that spec.rollbackTo names."""

from collections.abc import Sequence
from dataclasses import dataclass

from swiftlet.api.v1alpha1.modeldeployment import ModelDeployment
from swiftlet.kinds.conditions.verdict import Verdict, combine
from swiftlet.kinds.modeldeployment.gates import gates
from swiftlet.kinds.modeldeployment.history import Revision, numbered
from swiftlet.kinds.modeldeployment.models import ServedModel, served_model
from swiftlet.kinds.modeldeployment.plan import plan_server
from swiftlet.kinds.modeldeployment.policies import decide, whatever_is_served
from swiftlet.kinds.modeldeployment.render import planned_revision
from swiftlet.kinds.surroundings import Surroundings


@dataclass(frozen=True)
class Choice:
    """What to serve. revision: None where the verdict leaves nothing to plan. names: those that will be answered."""

    revision: Revision | None
    names: list[str]
    verdict: Verdict | None
    gate: Verdict | None = None


def choose(deployment: ModelDeployment, history: Sequence[Revision], around: Surroundings) -> Choice:
    """What to serve, and what stands against it. history: oldest first."""
    if deployment.spec.rollback_to is not None:
        return _of_the_history(deployment, deployment.spec.rollback_to.revision, history, around)
    served = served_model(deployment, around)
    verdict = decide(deployment, served, around)
    gate, served = gates(deployment, served, around)
    if not isinstance(served, ServedModel):
        return Choice(None, [], verdict, gate)
    if verdict:
        return Choice(None, served.served_names, verdict, gate)
    plan = plan_server(deployment, served, around)
    revision = planned_revision(deployment, plan, around.profile, around.capabilities, served.digest)
    return Choice(numbered(revision, history), served.served_names, None, gate)


def _of_the_history(
    deployment: ModelDeployment, number: int, history: Sequence[Revision], around: Surroundings
) -> Choice:
    """Gates have let it through when it was the newest; whether its Secrets are still there, its pods tell."""
    verdict = whatever_is_served(deployment, around)
    found = next((revision for revision in history if revision.number == number), None)
    if found is None:
        listed = ", ".join(str(revision.number) for revision in history)
        there = f"the history has {listed}" if listed else "the history is empty"
        missing = f"spec.rollbackTo.revision {number}: {there}; name one of it, or remove the field"
        return Choice(None, [], combine([verdict, Verdict("RevisionNotFound", missing)]))
    return Choice(found, found.served_names, verdict)
