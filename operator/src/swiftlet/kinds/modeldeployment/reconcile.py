"""One look at a ModelDeployment: observe, decide, plan, render, report."""

from datetime import datetime
from typing import Any

from swiftlet.api.modeldeployment import ModelDeployment, ModelDeploymentStatus
from swiftlet.kinds.capabilities import Capabilities
from swiftlet.kinds.children import as_started, follows
from swiftlet.kinds.claims import unbound_claims
from swiftlet.kinds.events import events_of
from swiftlet.kinds.modeldeployment.models import ServedModel, served_model
from swiftlet.kinds.modeldeployment.plan import plan_server
from swiftlet.kinds.modeldeployment.policies import decide, gates
from swiftlet.kinds.modeldeployment.render import child_name, render, run_state
from swiftlet.kinds.modeldeployment.status import View, status_of
from swiftlet.kinds.observed import is_being_deleted, of_kind
from swiftlet.kinds.outcome import ObjectRef, Outcome, ref_of
from swiftlet.kinds.ownership import name_conflict, namespace_of, uid_of
from swiftlet.kinds.reading import Reader
from swiftlet.kinds.surroundings import look_around
from swiftlet.kinds.verdict import Verdict


def reconcile(resource: dict[str, Any], reader: Reader, now: datetime, capabilities: Capabilities) -> Outcome:
    """What should be there for `resource` (defaulted and valid), and what its status should say."""
    deployment = ModelDeployment.model_validate(resource)
    old = deployment.status or ModelDeploymentStatus()
    children = reader.children(namespace_of(deployment), uid_of(deployment))
    found = [child for child in of_kind(children, "Deployment") if child["metadata"]["name"] == child_name(deployment)]
    child = found[0] if found else None
    around = look_around(deployment, deployment.spec.compute, reader, capabilities)
    served = served_model(deployment, around)
    verdict, gate = decide(deployment, served, around), gates(deployment, served, around)
    rendered: list[dict[str, Any]] = []
    if isinstance(served, ServedModel) and not verdict:
        plan = plan_server(deployment, served, around)
        rendered = render(deployment, plan, around.profile, capabilities)
        verdict = name_conflict(deployment, reader, rendered)
    held_back = verdict or gate
    view = View(
        deployment=deployment,
        old=old,
        served=served,
        verdict=verdict,
        gate=gate,
        child=child,
        pods=tuple(of_kind(children, "Pod")),
        progress=reader.progress(uid_of(deployment)),
        service_url=capabilities.service_url,
        unbound=unbound_claims(of_kind(children, "Pod"), reader),
        up_to_date=bool(child and rendered and follows(child, rendered[-1])),
    )
    status = status_of(view, now)
    return Outcome(
        desired=_desired(deployment, [] if held_back else rendered, child, held_back),
        delete=_surplus(deployment, children),
        status=status.document(),
        events=events_of(old.conditions, status.conditions),
    )


def _desired(
    deployment: ModelDeployment,
    rendered: list[dict[str, Any]],
    child: dict[str, Any] | None,
    held_back: Verdict | None,
) -> list[dict[str, Any]]:
    """What was rendered; while that is held back, the last rollout goes on serving and can be scaled."""
    if child is None or not held_back:
        return rendered
    return [as_started(child, run_state(deployment))] if not is_being_deleted(child) else []


def _surplus(deployment: ModelDeployment, children: list[dict[str, Any]]) -> list[ObjectRef]:
    """One pod cannot be spared, and a budget would then only block the drain of its node."""
    budgets = of_kind(children, "PodDisruptionBudget") if deployment.spec.replicas <= 1 else []
    return [ref_of(budget) for budget in budgets if not is_being_deleted(budget)]
