"""Pod templates, restricted as Pod Security Standards "restricted" asks, the same for every kind."""

from collections.abc import Sequence
from typing import Any, Literal

from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.kinds.pods.mounts import distinct, scratch, volumes
from swiftlet.kinds.pods.profile_environment import hub_env, profile_env, profile_mounts
from swiftlet.storage.mount import Mount
from swiftlet.wire.documents import JOB_FILE, RUN_ROOT
from swiftlet.wire.messages import TERMINATION_LOG
from swiftlet.wire.version import NEWEST

USER = 65532
"""The `nonroot` user of distroless images; owns what pods write."""


def field_env(name: str, path: str) -> dict[str, Any]:
    """A variable that the pod's own metadata or status fills."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def plain_env(profile: ComputeProfileSpec) -> list[dict[str, Any]]:
    """Variables of every container, none of which is a secret."""
    return [
        field_env("POD_NAME", "metadata.name"),
        field_env("POD_NAMESPACE", "metadata.namespace"),
        field_env("POD_IP", "status.podIP"),
        {"name": "SWIFTLET_PROGRESS_FILE", "value": f"{RUN_ROOT}/progress.jsonl"},
        {"name": "SWIFTLET_WIRE_VERSION", "value": NEWEST},
        {"name": "HF_HUB_DISABLE_TELEMETRY", "value": "1"},
        *profile_env(profile),
    ]


def base_env(profile: ComputeProfileSpec) -> list[dict[str, Any]]:
    """Variables of containers that load models and data."""
    return [*plain_env(profile), *hub_env(profile)]


def image_of(profile: ComputeProfileSpec, name: Literal["trainer", "server"]) -> dict[str, str]:
    """A container's image, and how it is pulled. Without an image it is a process of this machine."""
    image, policy = getattr(profile.images, name), profile.images.pull_policy
    return ({"image": image} | ({"imagePullPolicy": policy} if policy else {})) if image else {}


def container(
    verb: str,
    image: dict[str, str],
    mounts: Sequence[Mount],
    env: list[dict[str, Any]],
    resources: dict[str, dict[str, str]],
) -> dict[str, Any]:
    """A container that runs one verb of the trainer on the job document."""
    command = ["python", "-m", "swiftlet_trainer", verb, "--job", JOB_FILE]
    return restricted(verb, image, command, mounts, env, resources)


def restricted(
    name: str,
    image: dict[str, str],
    command: list[str],
    mounts: Sequence[Mount],
    env: list[dict[str, Any]],
    resources: dict[str, dict[str, str]],
) -> dict[str, Any]:
    """A container that may do no more than Pod Security Standards "restricted" allow."""
    built: dict[str, Any] = {
        "name": name,
        **image,
        "command": command,
        **({"env": env} if env else {}),
        "volumeMounts": [mount.volume_mount() for mount in mounts],
        "terminationMessagePath": TERMINATION_LOG,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    return built | ({"resources": resources} if resources else {})


def all_mounts(
    profile: ComputeProfileSpec,
    document: Mount,
    mounts: Sequence[Mount],
    resources: dict[str, dict[str, str]],
    shared_memory: int | None = None,
) -> tuple[Mount, ...]:
    """What a pod mounts: its job document, its inputs and outputs, what the profile gives to every pod, and its scratch
    space, within `resources`. shared_memory: MiB of /dev/shm that it has a use for, where that is known."""
    writable = scratch(profile.scratch, resources.get("limits", {}).get("memory"), shared_memory)
    return distinct((document, *mounts, *profile_mounts(profile), *writable))


def pod_spec(
    profile: ComputeProfileSpec,
    mounts: Sequence[Mount],
    containers: list[dict[str, Any]],
    grace_seconds: int,
    selector: dict[str, str],
) -> dict[str, Any]:
    """What the pods of all kinds share. `grace_seconds`: from SIGTERM to SIGKILL. `selector`: labels of the resource's
    pods, which are spread."""
    spec: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": grace_seconds,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": containers,
        "volumes": volumes(mounts),
    }
    return spec | {name: value for name, value in _placement(profile, selector).items() if value not in (None, [], {})}


def _placement(profile: ComputeProfileSpec, selector: dict[str, str]) -> dict[str, Any]:
    """Fields of a pod that the profile sets as they are; empty ones are left out."""
    spread = [{**one.document(), "labelSelector": {"matchLabels": selector}} for one in profile.topology_spread]
    return {
        "imagePullSecrets": [secret.document() for secret in profile.images.pull_secrets],
        "nodeSelector": dict(profile.node_selector),
        "tolerations": [toleration.document() for toleration in profile.tolerations],
        "topologySpreadConstraints": spread,
        "priorityClassName": profile.priority_class_name,
        "schedulerName": profile.scheduler_name,
        "runtimeClassName": profile.runtime_class_name,
        "serviceAccountName": profile.service_account_name,
        "hostUsers": profile.host_users,
    }
