"""Which model and adapters a ModelDeployment serves, and under which names."""

from dataclasses import dataclass, replace

from swiftlet.api.v1alpha1.modeldeployment import Adapter, ModelDeployment
from swiftlet.kinds.conditions.verdict import Verdict, combine
from swiftlet.kinds.frame.given import given
from swiftlet.kinds.references.upstream import Upstream, upstream_of
from swiftlet.kinds.surroundings import Surroundings

BASE_NAME = "base"


@dataclass(frozen=True)
class NamedAdapter:
    """An adapter and the name that clients ask for. The digests are None where only a URI is known."""

    name: str
    uri: str
    digest: str | None = None
    base_digest: str | None = None
    gives_scores: bool = False
    """By a layer of its own, which its base has not, as far as the FineTuneJob says it."""


@dataclass(frozen=True)
class Draft:
    """The model that proposes tokens. The digest is None where only a URI is known."""

    field: str
    """What is blamed."""
    uri: str
    digest: str | None = None


@dataclass(frozen=True)
class ServedModel:
    """A model, the names that it answers to itself, and its adapters. `digest`: of what was promoted, when known."""

    uri: str
    names: tuple[str, ...]
    adapters: tuple[NamedAdapter, ...]
    digest: str | None = None
    model_digest: str | None = None
    """Identity of the model's own files, where known: of what a FineTuneJob wrote, or of what was measured."""
    weight_bytes: int | None = None
    """Bytes that loading it reads, where the FineTuneJob has recorded them."""
    draft: Draft | None = None

    @property
    def served_names(self) -> list[str]:
        return [*self.names, *(adapter.name for adapter in self.adapters)]


def served_model(deployment: ModelDeployment, around: Surroundings) -> ServedModel | Verdict:
    """What to serve, or all that is missing."""
    main = _main(deployment, around)
    adapters = [_adapter(index, adapter, around) for index, adapter in enumerate(deployment.spec.adapters)]
    draft = _draft(deployment, around)
    missing = combine(found for found in (main, *adapters, draft) if isinstance(found, Verdict))
    if missing or isinstance(main, Verdict) or isinstance(draft, Verdict):
        return missing or main  # type: ignore[return-value]
    found = [adapter for adapter in adapters if isinstance(adapter, NamedAdapter)]
    return _without_base(deployment, replace(main, adapters=(*main.adapters, *found), draft=draft))


def _without_base(deployment: ModelDeployment, served: ServedModel) -> ServedModel | Verdict:
    """The same where the model answers to its own names, which it cannot beside adapters that give scores."""
    scoring = next((adapter for adapter in served.adapters if adapter.gives_scores), None)
    if scoring is None:
        return served
    api, by_uri = deployment.spec.api, deployment.spec.model.fine_tune_job_ref is None
    given_names = {"baseServedName": api.base_served_name, "servedName": api.served_name if by_uri else None}
    if field := next((field for field, name in given_names.items() if name), None):
        what = f"spec.api.{field} {given_names[field]}: the model gives texts no scores without an adapter"
        return Verdict("InvalidPlan", f"{what} such as {scoring.name}, so it answers to no name; remove the field")
    return replace(served, names=())


def _main(deployment: ModelDeployment, around: Surroundings) -> ServedModel | Verdict:
    api, model = deployment.spec.api, deployment.spec.model
    name = api.served_name or deployment.metadata.name
    if model.fine_tune_job_ref is None:
        return ServedModel(given(model.uri), (name, *([api.base_served_name] if api.base_served_name else [])), ())
    ref = model.fine_tune_job_ref.name
    upstream = upstream_of("spec.model.fineTuneJobRef", ref, around.namespace, around.reader)
    if isinstance(upstream, Verdict):
        return upstream
    artifact = upstream.artifact
    if artifact.type == "adapter":
        tuned = _named(name, upstream)
        names = (api.base_served_name or BASE_NAME,)
        return ServedModel(upstream.base, names, (tuned,), artifact.digest, weight_bytes=artifact.weight_bytes)
    if api.base_served_name:
        return Verdict(
            "InvalidPlan",
            f"spec.api.baseServedName {api.base_served_name}: FineTuneJob {ref} trained every weight, so there is no"
            " base to serve beside it; remove the field",
        )
    return ServedModel(artifact.uri, (name,), (), artifact.digest, artifact.digest, artifact.weight_bytes)


def _adapter(index: int, adapter: Adapter, around: Surroundings) -> NamedAdapter | Verdict:
    if adapter.fine_tune_job_ref is None:
        return NamedAdapter(adapter.name, given(adapter.uri))
    field = f"spec.adapters[{index}].fineTuneJobRef"
    upstream = upstream_of(field, adapter.fine_tune_job_ref.name, around.namespace, around.reader)
    if isinstance(upstream, Upstream) and upstream.artifact.type == "adapter":
        return _named(adapter.name, upstream)
    if isinstance(upstream, Verdict):
        return upstream
    return Verdict(
        "InvalidPlan",
        f"{field}.name {adapter.fine_tune_job_ref.name}: the artifact is a whole model, not an adapter; serve it as"
        " spec.model of a ModelDeployment of its own",
    )


def _named(name: str, upstream: Upstream) -> NamedAdapter:
    artifact, gives_scores = upstream.artifact, upstream.job.spec.task.head == "score"
    return NamedAdapter(name, artifact.uri, artifact.digest, artifact.base_digest or None, gives_scores)


def _draft(deployment: ModelDeployment, around: Surroundings) -> Draft | Verdict | None:
    if deployment.spec.engine.draft is None:
        return None
    at, model = deployment.spec.engine.draft
    if model.fine_tune_job_ref is None:
        return Draft(at, given(model.uri))
    field, name = f"{at}.fineTuneJobRef", model.fine_tune_job_ref.name
    upstream = upstream_of(field, name, around.namespace, around.reader)
    if isinstance(upstream, Verdict):
        return upstream
    if upstream.artifact.type == "model":
        return Draft(at, upstream.artifact.uri, upstream.artifact.digest)
    return Verdict(
        "InvalidPlan", f"{field}.name {name}: the artifact is an adapter, and a draft is a whole model; use another job"
    )
