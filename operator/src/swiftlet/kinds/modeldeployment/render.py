"""The Kubernetes objects of a server: ConfigMap, ControllerRevision, Service, PodDisruptionBudget, NetworkPolicy and
Deployment."""

from typing import Any

from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.api.v1alpha1.modeldeployment import ModelDeployment
from swiftlet.kinds.children.job_document import config_map_mount
from swiftlet.kinds.children.network_policy import Ingress, network_policy
from swiftlet.kinds.frame.asked import asking
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.kinds.frame.reading import OWNER_LABEL
from swiftlet.kinds.modeldeployment.history import Revision, controller_revision
from swiftlet.kinds.modeldeployment.plan import ServePlan
from swiftlet.kinds.modeldeployment.revisions import document_label, document_name, revision_document
from swiftlet.kinds.owning.metadata import pod_metadata, workload_metadata
from swiftlet.kinds.owning.ownership import DIGEST_ANNOTATION, child_metadata, labels
from swiftlet.kinds.pods.fabric import fabric_annotations, fabric_env, fabric_of
from swiftlet.kinds.pods.fetching import fetch_containers
from swiftlet.kinds.pods.podspec import all_mounts, base_env, container, image_of, pod_spec
from swiftlet.kinds.pods.reporting import report_env, report_mounts
from swiftlet.kinds.references.profiles import pod_resources
from swiftlet.wire.documents import LIVE_PATH, READY_PATH

COMPONENT = "server"
GRACE_SECONDS = 60
"""For the answers that are under way."""
STARTUP_PERIOD = 2
LEAST_SHARED_MIB, SHARED_MIB_PER_GPU = 8192, 2048
"""Of /dev/shm on GPUs. Each process of vLLM holds queues of 240 MiB there (vllm, shm_broadcast), and NCCL its buffers
where GPUs cannot reach each other's memory; pictures pass through it, too."""
PROGRESS_MARGIN = 300
"""Seconds beyond the engine's start for scheduling and pulling the image."""


def child_name(deployment: ModelDeployment) -> str:
    """Name of all children."""
    return f"{deployment.metadata.name}-serve"


def render(
    deployment: ModelDeployment,
    revision: Revision,
    profile: ComputeProfileSpec,
    capabilities: Capabilities,
    replicas: int,
) -> list[dict[str, Any]]:
    """The objects of the server. replicas: as many as there are to be, whoever says so."""
    budget = [_disruption_budget(deployment)] if replicas > 1 else []
    name, port = child_name(deployment), int(revision.document["port"])
    clients = _clients(deployment, port)
    return [
        revision_document(deployment, name, COMPONENT, revision.document),
        controller_revision(deployment, name, COMPONENT, revision),
        _service(deployment, port),
        *budget,
        *network_policy(deployment, name, COMPONENT, profile, selector(deployment), clients),
        _deployment(deployment, revision, profile, capabilities),
    ]


def planned_revision(
    deployment: ModelDeployment,
    plan: ServePlan,
    profile: ComputeProfileSpec,
    capabilities: Capabilities,
    model_digest: str | None,
) -> Revision:
    """What pods are made from by the present plan."""
    template = _template(deployment, plan, profile, capabilities)
    return Revision(plan.content, template, plan.startup_seconds + PROGRESS_MARGIN, model_digest)


def wish(deployment: ModelDeployment) -> dict[str, Any]:
    """What may be asked of a Deployment without a new rollout."""
    return {"replicas": deployment.spec.replicas}


def selector(deployment: ModelDeployment) -> dict[str, str]:
    """Labels of the server's pods."""
    own = labels(deployment, COMPONENT)
    return {name: own[name] for name in (OWNER_LABEL, "app.kubernetes.io/component")}


def _service(deployment: ModelDeployment, number: int) -> dict[str, Any]:
    port = {"name": "http", "port": number, "targetPort": "http", "protocol": "TCP"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": child_metadata(deployment, child_name(deployment), COMPONENT),
        "spec": {"selector": selector(deployment), "ports": [port]},
    }


def _clients(deployment: ModelDeployment, number: int) -> Ingress:
    """Whom the document names, on the port of the API; pods of the namespace where it names none."""
    named = deployment.spec.api.allow_from
    peers = [{"podSelector": {}}] if named is None else [peer.document() for peer in named]
    port = {"protocol": "TCP", "port": number}
    return [{"from": peers, "ports": [port]}] if peers else []


def _disruption_budget(deployment: ModelDeployment) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": child_metadata(deployment, child_name(deployment), COMPONENT),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector(deployment)}},
    }


def _deployment(
    deployment: ModelDeployment, revision: Revision, profile: ComputeProfileSpec, capabilities: Capabilities
) -> dict[str, Any]:
    name, queue = child_name(deployment), deployment.spec.queue
    annotations = {DIGEST_ANNOTATION: revision.digest}
    metadata = workload_metadata(deployment, name, COMPONENT, profile, annotations, queue)
    metadata["labels"] |= document_label(revision.document)
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "selector": {"matchLabels": selector(deployment)},
            "strategy": _strategy(capabilities),
            "progressDeadlineSeconds": revision.progress_deadline_seconds,
            "revisionHistoryLimit": deployment.spec.revision_history_limit,
            "template": revision.template,
        },
    }
    return asking(manifest, wish(deployment))


def _strategy(capabilities: Capabilities) -> dict[str, Any]:
    """The old pod serves until the new one is ready, unless the two could not have the same port."""
    if capabilities.shared_network:
        return {"type": "Recreate"}
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def _template(
    deployment: ModelDeployment, plan: ServePlan, profile: ComputeProfileSpec, capabilities: Capabilities
) -> dict[str, Any]:
    resources, gpus = pod_resources(deployment.spec.compute, profile, with_gpus=True), deployment.spec.compute.gpus
    name = document_name(child_name(deployment), plan.content)
    network = fabric_of(profile, capabilities, 1, gpus)
    mounts = (*plan.mounts, *report_mounts(capabilities))
    places = all_mounts(profile, config_map_mount(name), mounts, resources, shared_memory(gpus))
    env = [*base_env(profile), *report_env(deployment, capabilities), *fabric_env(network, gpus)]
    serve = container("serve", image_of(profile, "server"), places, env, resources)
    serve["ports"] = [
        {"name": "http", "containerPort": plan.document.port, "protocol": "TCP"},
        {"name": "health", "containerPort": plan.document.health_port, "protocol": "TCP"},
    ]
    serve |= _probes(plan.startup_seconds)
    metadata = pod_metadata(deployment, COMPONENT, profile, fabric_annotations(network))
    metadata["labels"] |= document_label(plan.content)
    spec = pod_spec(profile, places, [serve], GRACE_SECONDS, selector(deployment))
    modest = pod_resources(deployment.spec.compute, profile, with_gpus=False)
    fetch = fetch_containers(profile, image_of(profile, "server"), places, modest)
    return {"metadata": metadata, "spec": spec | ({"initContainers": fetch} if fetch else {})}


def shared_memory(gpus: int) -> int | None:
    """MiB of /dev/shm that a server on `gpus` has a use for; on a CPU it is one process, with the bound of others."""
    return max(LEAST_SHARED_MIB, SHARED_MIB_PER_GPU * gpus) if gpus else None


def _probes(startup: int) -> dict[str, Any]:
    ready = {"httpGet": {"path": READY_PATH, "port": "health"}}
    live = {"httpGet": {"path": LIVE_PATH, "port": "health"}}
    return {
        "startupProbe": {**ready, "periodSeconds": STARTUP_PERIOD, "failureThreshold": -(-startup // STARTUP_PERIOD)},
        "readinessProbe": {**ready, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 3},
        "livenessProbe": {**live, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
    }
