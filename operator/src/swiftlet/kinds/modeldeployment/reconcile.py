"""One look at a ModelDeployment: observe, choose a revision, render, report."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from swiftlet.api.v1alpha1.modeldeployment import ModelDeployment, ModelDeploymentStatus
from swiftlet.kinds.children.job import follows
from swiftlet.kinds.children.network_policy import surplus_policies
from swiftlet.kinds.frame.asked import asked_anew, left_to_others
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.kinds.frame.events import events_of
from swiftlet.kinds.frame.outcome import ObjectRef, Outcome, Patch, ref_of
from swiftlet.kinds.frame.reading import Reader
from swiftlet.kinds.modeldeployment.choice import Choice, choose
from swiftlet.kinds.modeldeployment.history import Revision, history_of, ready_pods, surplus
from swiftlet.kinds.modeldeployment.quota import queued, quota_reserved
from swiftlet.kinds.modeldeployment.render import child_name, render, wish
from swiftlet.kinds.modeldeployment.revisions import unused_documents
from swiftlet.kinds.modeldeployment.status import View, status_of
from swiftlet.kinds.observing.holding import asks_again
from swiftlet.kinds.observing.kueue import QUOTA_RESERVED
from swiftlet.kinds.observing.observed import is_being_deleted, of_kind
from swiftlet.kinds.owning.ownership import DIGEST_ANNOTATION, name_conflict, namespace_of, uid_of
from swiftlet.kinds.references.claims import unbound_claims
from swiftlet.kinds.surroundings import Surroundings, look_around

Children = list[dict[str, Any]]


@dataclass(frozen=True)
class Sight:
    """What is there of a server."""

    deployment: ModelDeployment
    children: Children
    kept: Sequence[tuple[Revision, ObjectRef]]
    """The history, oldest first, and where it is."""
    child: dict[str, Any] | None
    """The Deployment."""
    replicas: int
    """As many pods as there are to be, whoever says so."""
    around: Surroundings

    @property
    def history(self) -> tuple[Revision, ...]:
        return tuple(revision for revision, _ in self.kept)


def reconcile(resource: dict[str, Any], reader: Reader, now: datetime, capabilities: Capabilities) -> Outcome:
    """What should be there for `resource` (defaulted and valid), and what its status should say."""
    sight = _observe(ModelDeployment.model_validate(resource), reader, capabilities)
    choice, rendered = _planned(sight)
    view = _view(sight, choice, rendered)
    status = status_of(view, now)
    return Outcome(
        desired=[] if view.obstacle else _desired(sight, rendered),
        delete=[
            *_surplus(sight),
            *surplus_policies(sight.children, sight.around),
            *_forgotten(sight, choice, status.current_revision),
            *unused_documents(sight.children, rendered, now),
        ],
        status=status.document(),
        events=events_of(view.old.conditions, status.conditions),
        requeue_after=asks_again(queued(view.quota), view.old.conditions, now, QUOTA_RESERVED),
        patches=_asked(sight) if view.obstacle else [],
    )


def _observe(deployment: ModelDeployment, reader: Reader, capabilities: Capabilities) -> Sight:
    children = reader.children(namespace_of(deployment), uid_of(deployment))
    found = [child for child in of_kind(children, "Deployment") if child["metadata"]["name"] == child_name(deployment)]
    child = found[0] if found else None
    around = look_around(deployment, deployment.spec.compute, reader, capabilities)
    return Sight(deployment, children, history_of(children), child, wanted_replicas(deployment, child), around)


def _planned(sight: Sight) -> tuple[Choice, Children]:
    """What to serve, and its objects; a name of theirs that is taken stands against it, too."""
    deployment, around = sight.deployment, sight.around
    choice = choose(deployment, sight.history, around)
    if choice.revision is None or choice.verdict:
        return choice, []
    rendered = render(deployment, choice.revision, around.profile, around.capabilities, sight.replicas)
    return replace(choice, verdict=name_conflict(deployment, around.reader, sight.children, rendered)), rendered


def _view(sight: Sight, choice: Choice, rendered: Children) -> View:
    deployment, child, reader = sight.deployment, sight.child, sight.around.reader
    pods = tuple(of_kind(sight.children, "Pod"))
    return View(
        deployment=deployment,
        old=deployment.status or ModelDeploymentStatus(),
        names=choice.names,
        asked=None if choice.verdict or choice.gate else choice.revision,
        history=sight.history,
        ready_by_digest=ready_pods(sight.children),
        verdict=choice.verdict,
        gate=choice.gate,
        child=child,
        pods=pods,
        progress=reader.progress(uid_of(deployment)),
        service_url=sight.around.capabilities.service_url,
        unbound=unbound_claims(pods, reader),
        quota=quota_reserved(deployment.spec.queue, child, pods, reader),
        replicas=sight.replicas,
        up_to_date=bool(child and rendered and follows(child, rendered[-1])),
    )


def wanted_replicas(deployment: ModelDeployment, child: dict[str, Any] | None) -> int:
    """How many pods there are to be: as spec.replicas says, or whoever has scaled the Deployment since it said so."""
    if child is None or asked_anew(child, wish(deployment)):
        return deployment.spec.replicas
    return int(child["spec"].get("replicas", 1))


def _desired(sight: Sight, rendered: Children) -> Children:
    """What was rendered, without the number of pods where another hand has set it."""
    asked = wish(sight.deployment)
    return [
        left_to_others(manifest, sight.child, asked) if manifest["kind"] == "Deployment" else manifest
        for manifest in rendered
    ]


def _asked(sight: Sight) -> list[Patch]:
    """While the next rollout is held back, the last one goes on serving as it was started, and can be scaled."""
    child = sight.child
    return [] if child is None or is_being_deleted(child) else asked_anew(child, wish(sight.deployment))


def _surplus(sight: Sight) -> list[ObjectRef]:
    """One pod cannot be spared, and a budget would then only block the drain of its node."""
    budgets = of_kind(sight.children, "PodDisruptionBudget") if sight.replicas <= 1 else []
    return [ref_of(budget) for budget in budgets if not is_being_deleted(budget)]


def _forgotten(sight: Sight, choice: Choice, current: int | None) -> list[ObjectRef]:
    """Revisions beyond the limit of the history, none of which has pods, is wanted, or was the last that served.

    One that is held back is wanted, too: it is served as soon as nothing stands against it any more.
    """
    annotations = (sight.child or {"metadata": {}})["metadata"].get("annotations") or {}
    wanted = choice.revision.digest if choice.revision else None
    in_use = {*ready_pods(sight.children), wanted, annotations.get(DIGEST_ANNOTATION)}
    return surplus(sight.kept, in_use, current, sight.deployment.spec.revision_history_limit)
