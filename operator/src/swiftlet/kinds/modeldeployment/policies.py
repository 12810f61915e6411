"""What must hold before a ModelDeployment serves."""

from collections import Counter
from pathlib import PurePosixPath

from swiftlet.api.v1alpha1.engines.registry import planned_engine
from swiftlet.api.v1alpha1.modeldeployment import TAKING, ModelDeployment
from swiftlet.engines.arguments import argument_problems
from swiftlet.kinds.conditions.verdict import Verdict, combine
from swiftlet.kinds.frame.given import given
from swiftlet.kinds.modeldeployment.models import ServedModel
from swiftlet.kinds.surroundings import Surroundings


def decide(deployment: ModelDeployment, served: ServedModel | Verdict, around: Surroundings) -> Verdict | None:
    """All that stands against the document itself."""
    found = [
        whatever_is_served(deployment, around),
        around.image("server"),
        arguments(deployment, around),
        api_key(deployment, around),
    ]
    if isinstance(served, Verdict):
        return combine([*found, served])
    return combine(
        [
            *found,
            distinct_names(served),
            same_base(served),
            around.model("spec.model", served.uri),
            around.model(served.draft.field, served.draft.uri) if served.draft else None,
            *(around.file(f"adapter {adapter.name}", adapter.uri) for adapter in served.adapters),
            *around.volumes(artifacts=False),
        ]
    )


def whatever_is_served(deployment: ModelDeployment, around: Surroundings) -> Verdict | None:
    """What stands against the document even where a revision of the history is served."""
    return combine(
        [
            around.profile_verdict,
            around.limits(deployment.spec.compute, replicas=deployment.spec.replicas),
            replicas_fit(deployment, around),
            clients_are_kept_out(deployment, around),
        ]
    )


def replicas_fit(deployment: ModelDeployment, around: Surroundings) -> Verdict | None:
    """The engine may have a limit of its own."""
    limit, replicas = around.capabilities.max_replicas, deployment.spec.replicas
    if limit is None or replicas <= limit:
        return None
    return Verdict(
        "TooManyReplicas",
        f"spec.replicas {replicas}: at most {limit} can run here; use {limit}, or run it on a cluster",
    )


def arguments(deployment: ModelDeployment, around: Surroundings) -> Verdict | None:
    """Arguments are for the engine that takes some, and those that the platform team allows."""
    asked = deployment.spec.engine
    engine = planned_engine(asked.name)
    if asked.args and not engine.allowed_args:
        return Verdict(
            "InvalidPlan",
            f"spec.engine.args: engine {asked.name} takes no arguments; remove them, or use engine {TAKING}",
        )
    who = f"ComputeProfile {around.profile_name}"
    problems = argument_problems(engine, asked.args, around.profile.engines.allowed_args(engine.name), who)
    return Verdict("ArgumentRefused", "; ".join(problems)) if problems else None


def clients_are_kept_out(deployment: ModelDeployment, around: Surroundings) -> Verdict | None:
    """Whom the document names means nothing without a policy."""
    if deployment.spec.api.allow_from is None or around.profile.network_policy == "Enabled":
        return None
    return Verdict(
        "InvalidPlan",
        f"spec.api.allowFrom: networkPolicy of {around.profile_name} is Disabled, so everybody could connect;"
        " remove the field, or use a profile with networkPolicy Enabled",
    )


def api_key(deployment: ModelDeployment, around: Surroundings) -> Verdict | None:
    """The key can be read by the pod."""
    key = deployment.spec.api.api_key
    if key is None:
        return None
    if key.file is not None:
        return _key_file(key.file, around)
    if not around.capabilities.reads_secrets:
        return None
    ref = given(key.secret_ref)
    secret = around.reader.get("Secret", around.namespace, ref.name)
    who = f"spec.api.apiKey.secretRef: Secret {around.namespace}/{ref.name}"
    if secret is None:
        return Verdict("ReferenceNotFound", f"{who} does not exist", waits=True)
    if ref.key not in {**(secret.get("data") or {}), **(secret.get("stringData") or {})}:
        return Verdict("ReferenceNotFound", f"{who} has no key {ref.key}", waits=True)
    return None


def _key_file(file: str, around: Surroundings) -> Verdict | None:
    if not around.capabilities.host_paths:
        return Verdict(
            "LocalPathNotAllowed",
            f"spec.api.apiKey.file {file}: pods of a cluster cannot read a local path; use apiKey.secretRef",
        )
    if not PurePosixPath(file).is_absolute():
        return Verdict("InvalidUri", f"spec.api.apiKey.file {file}: the path must be absolute here")
    return None


def distinct_names(served: ServedModel) -> Verdict | None:
    """Each name means one model."""
    twice = [name for name, count in Counter(served.served_names).items() if count > 1]
    if not twice:
        return None
    return Verdict(
        "InvalidPlan",
        f"served names: {', '.join(twice)} would mean several models; set spec.api.servedName,"
        " spec.api.baseServedName or the adapter's name",
    )


def same_base(served: ServedModel) -> Verdict | None:
    """All adapters were trained on the same weights, as far as their jobs recorded them."""
    bases = {adapter.name: adapter.base_digest for adapter in served.adapters if adapter.base_digest}
    if len(set(bases.values())) <= 1:
        return None
    listed = ", ".join(f"{name} on {digest[:19]}" for name, digest in bases.items())
    return Verdict("AdapterBaseMismatch", f"adapters were trained on different bases ({listed}); deploy them apart")
