"""From a ModelDeployment's spec to the job document of its server."""

from dataclasses import dataclass

from swiftlet.api.v1alpha1.modeldeployment import ModelDeployment
from swiftlet.engines.startup import startup_seconds
from swiftlet.engines.vllm import resolved_vllm
from swiftlet.kinds.frame.given import given
from swiftlet.kinds.frame.written import Written
from swiftlet.kinds.modeldeployment.models import ServedModel
from swiftlet.kinds.owning.ownership import namespace_of, planned_port
from swiftlet.kinds.references.sources import locate_model
from swiftlet.kinds.surroundings import Surroundings
from swiftlet.storage.mount import Mount
from swiftlet.wire.documents import SECRETS_ROOT, ResolvedModel, ServedAdapter, ServeDocument

FIRST_HEALTH_PORT = 10000
HEALTH_PORTS = 10000
"""Below the rendezvous ports (20000) and Linux' ephemeral ports."""


@dataclass(frozen=True)
class ServePlan(Written):
    """Everything that rendering needs."""

    document: ServeDocument
    mounts: tuple[Mount, ...]
    startup_seconds: int
    """From the start of the container to the first token, before it counts as a failure."""


def plan_server(deployment: ModelDeployment, served: ServedModel, around: Surroundings) -> ServePlan:
    """The plan of a deployment that no policy stands against."""
    model = locate_model(served.uri, "model", around.storage)
    located = [locate_model(one.uri, f"adapter-{index}", around.storage) for index, one in enumerate(served.adapters)]
    adapters = [
        ServedAdapter(name=one.name, path=_path(place.model), digest=one.digest)
        for one, place in zip(served.adapters, located, strict=True)
    ]
    place = locate_model(served.draft.uri, "draft", around.storage) if served.draft else None
    draft = place.model.model_copy(update={"digest": served.draft.digest}) if place and served.draft else None
    key_file, key_mounts = _api_key(deployment)
    document = ServeDocument(
        name=deployment.metadata.name,
        namespace=namespace_of(deployment),
        model=model.model.model_copy(update={"digest": served.model_digest}),
        model_names=list(served.names),
        adapters=adapters,
        engine=deployment.spec.engine.name,
        engine_args=deployment.spec.engine.args,
        vllm=resolved_vllm(deployment.spec.engine.vllm, deployment.spec.compute.gpus, draft),
        agent_template=deployment.spec.api.agent_template,
        tool_parser=deployment.spec.api.tool_parser,
        reasoning_parser=deployment.spec.api.reasoning_parser,
        max_model_length=deployment.spec.engine.max_model_length,
        port=deployment.spec.api.port,
        health_port=health_port(deployment),
        api_key_file=key_file,
        use_gpu=deployment.spec.compute.gpus > 0,
    )
    return ServePlan(
        document=document,
        mounts=(*(mount for part in (model, *located, place) if part for mount in part.mounts), *key_mounts),
        startup_seconds=startup_seconds(
            deployment.spec.engine.name,
            served.weight_bytes,
            is_downloaded=model.model.path is None or any(mount.fetched for mount in model.mounts),
            gpus=deployment.spec.compute.gpus,
        ),
    )


def health_port(deployment: ModelDeployment) -> int:
    """A port by the deployment's name, so that deployments which share a network do not meet."""
    name, namespace = deployment.metadata.name, namespace_of(deployment)
    port = planned_port(namespace, name, FIRST_HEALTH_PORT, HEALTH_PORTS)
    return port if port != deployment.spec.api.port else port + 1


def _path(model: ResolvedModel) -> str:
    if model.path is None:
        raise ValueError(f"adapter {model.uri} has no folder in the pod")
    return model.path


def _api_key(deployment: ModelDeployment) -> tuple[str | None, tuple[Mount, ...]]:
    """Where the server reads the API key. The key itself is never in a document."""
    key, folder = deployment.spec.api.api_key, f"{SECRETS_ROOT}/0"
    if key is None:
        return None, ()
    if key.secret_ref:
        items = [{"key": key.secret_ref.key, "path": key.secret_ref.key}]
        source = {"secret": {"secretName": key.secret_ref.name, "items": items, "defaultMode": 0o440}}
        return f"{folder}/{key.secret_ref.key}", (Mount("api-key", source, folder),)
    path = f"{folder}/api-key"
    return path, (Mount("api-key", {"hostPath": {"path": given(key.file), "type": "File"}}, path),)
