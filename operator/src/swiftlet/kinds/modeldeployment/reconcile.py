"""One look at a ModelDeployment: observe, decide, plan, render, report."""

from datetime import datetime
from typing import Any

from swiftlet.api.modeldeployment import ModelDeployment, ModelDeploymentStatus
from swiftlet.kinds.children.job import follows
from swiftlet.kinds.children.network_policy import surplus_policies
from swiftlet.kinds.frame.asked import asked_anew, left_to_others
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.kinds.frame.events import events_of
from swiftlet.kinds.frame.outcome import ObjectRef, Outcome, Patch, ref_of
from swiftlet.kinds.frame.reading import Reader
from swiftlet.kinds.modeldeployment.gates import gates
from swiftlet.kinds.modeldeployment.models import ServedModel, served_model
from swiftlet.kinds.modeldeployment.plan import plan_server
from swiftlet.kinds.modeldeployment.policies import decide
from swiftlet.kinds.modeldeployment.render import child_name, render, wish
from swiftlet.kinds.modeldeployment.revisions import unused_documents
from swiftlet.kinds.modeldeployment.status import View, status_of
from swiftlet.kinds.observing.observed import is_being_deleted, of_kind
from swiftlet.kinds.owning.ownership import name_conflict, namespace_of, uid_of
from swiftlet.kinds.references.claims import unbound_claims
from swiftlet.kinds.surroundings import look_around


def reconcile(resource: dict[str, Any], reader: Reader, now: datetime, capabilities: Capabilities) -> Outcome:
    """What should be there for `resource` (defaulted and valid), and what its status should say."""
    deployment = ModelDeployment.model_validate(resource)
    old = deployment.status or ModelDeploymentStatus()
    children = reader.children(namespace_of(deployment), uid_of(deployment))
    found = [child for child in of_kind(children, "Deployment") if child["metadata"]["name"] == child_name(deployment)]
    child = found[0] if found else None
    around = look_around(deployment, deployment.spec.compute, reader, capabilities)
    replicas = wanted_replicas(deployment, child)
    served = served_model(deployment, around)
    verdict = decide(deployment, served, around)
    gate, served = gates(deployment, served, around)
    rendered: list[dict[str, Any]] = []
    if isinstance(served, ServedModel) and not verdict:
        plan = plan_server(deployment, served, around)
        rendered = render(deployment, plan, around.profile, capabilities, replicas)
        verdict = name_conflict(deployment, reader, children, rendered)
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
        replicas=replicas,
        up_to_date=bool(child and rendered and follows(child, rendered[-1])),
    )
    status = status_of(view, now)
    return Outcome(
        desired=[] if held_back else _desired(deployment, rendered, child),
        delete=[
            *_surplus(replicas, children),
            *surplus_policies(children, around),
            *unused_documents(children, rendered, now),
        ],
        status=status.document(),
        events=events_of(old.conditions, status.conditions),
        patches=_asked(deployment, child) if held_back else [],
    )


def wanted_replicas(deployment: ModelDeployment, child: dict[str, Any] | None) -> int:
    """How many pods there are to be: as spec.replicas says, or whoever has scaled the Deployment since it said so."""
    if child is None or asked_anew(child, wish(deployment)):
        return deployment.spec.replicas
    return int(child["spec"].get("replicas", 1))


def _desired(
    deployment: ModelDeployment, rendered: list[dict[str, Any]], child: dict[str, Any] | None
) -> list[dict[str, Any]]:
    """What was rendered, without the number of pods where another hand has set it."""
    return [
        left_to_others(manifest, child, wish(deployment)) if manifest["kind"] == "Deployment" else manifest
        for manifest in rendered
    ]


def _asked(deployment: ModelDeployment, child: dict[str, Any] | None) -> list[Patch]:
    """While the next rollout is held back, the last one goes on serving as it was started, and can be scaled."""
    return [] if child is None or is_being_deleted(child) else asked_anew(child, wish(deployment))


def _surplus(replicas: int, children: list[dict[str, Any]]) -> list[ObjectRef]:
    """One pod cannot be spared, and a budget would then only block the drain of its node."""
    budgets = of_kind(children, "PodDisruptionBudget") if replicas <= 1 else []
    return [ref_of(budget) for budget in budgets if not is_being_deleted(budget)]
