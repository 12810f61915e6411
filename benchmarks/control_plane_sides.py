"""The operators that are measured beside each other: whose resources, which children, which programs, by which rights.

All of them run as processes by their own ServiceAccounts, with the rights and settings that they are shipped with,
watch every namespace, and need no leader.
"""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from control_plane_bed import Operator, install
from control_plane_client import Client, job
from testbed import kubeflow_trainer, kuberay
from testbed.controlplane import ControlPlane
from testbed.jobset import ACCOUNT as JOBSET_ACCOUNT
from testbed.jobset import MODULE as JOBSET_MODULE
from testbed.jobset import NAMESPACE as JOBSET_NAMESPACE
from testbed.jobset import JobSet
from testbed.programs import families, program

Object = dict[str, Any]

CHART = Path(__file__).parents[1] / "helm/swiftlet"
RIGHTS = ("serviceaccount", "rbac")
"""Templates of the chart that say who the operator is and what it may do."""
HOME, ACCOUNT = "swiftlet-system", "swiftlet-operator"
"""The operator's namespace and account, as the chart has them."""
IMAGE = "registry.example/ray"
"""Of pods that nobody starts."""


class Controllers(Protocol):
    """A program that is started for its turn and stopped after it."""

    def start(self) -> None:
        """Start, and wait until it is ready."""

    def stop(self) -> None:
        """End it; no harm when it has ended."""

    @property
    def pid(self) -> int | None:
        """Process id, once it was started."""


@dataclass(frozen=True)
class Side:
    """One of those that are measured."""

    name: str
    about: str
    """Its version, and what becomes of a resource."""
    namespace: str
    """Where its resources are."""
    resource: str
    """Plural of its resources' kind."""
    api: str
    """Group and version of these."""
    manifest: Callable[[str, str], Object]
    """A resource by namespace and name."""
    children: Mapping[str, int]
    """What a resource becomes: how many of each resource."""
    users: frozenset[str]
    """Names of its controllers, as the API server knows them."""
    programs: tuple[str, ...]
    """Its controllers' processes, as the processor time of the bed's programs names them."""
    unnamed: int = 0
    """How many of a resource's children are left to the API server to name."""

    @property
    def noted(self) -> frozenset[str]:
        """Resources whose writes tell when a resource was whole."""
        return frozenset({self.resource, *self.children})

    @property
    def path(self) -> str:
        """Where its resources are created."""
        return f"/apis/{self.api}/namespaces/{self.namespace}/{self.resource}"


def train_job(namespace: str, name: str) -> Object:
    """A TrainJob of one node."""
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "runtimeRef": {"name": kubeflow_trainer.RUNTIME},
            "trainer": {"numNodes": 1, "command": ["python", "train.py"]},
        },
    }


def ray_cluster(namespace: str, name: str) -> Object:
    """A RayCluster of a head and one worker."""

    def template(container: str) -> Object:
        resources = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
        return {"spec": {"containers": [{"name": container, "image": IMAGE, "resources": resources}]}}

    workers = {"groupName": "w", "replicas": 1, "minReplicas": 1, "maxReplicas": 1, "rayStartParams": {}}
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "headGroupSpec": {"rayStartParams": {}, "template": template("ray-head")},
            "workerGroupSpecs": [{**workers, "template": template("ray-worker")}],
        },
    }


def user(namespace: str, account: str) -> str:
    """Name of a ServiceAccount, as the API server knows it."""
    return f"system:serviceaccount:{namespace}:{account}"


def _version(family: str, module: str) -> str:
    return families()[family].requires[module].removeprefix("v")


OURS = Side(
    "swiftlet",
    "FineTuneJob -> NetworkPolicy, Job",
    "side-swiftlet",
    "finetunejobs",
    "swiftlet.dev/v1alpha1",
    job,
    {"networkpolicies": 1, "jobs": 1},
    frozenset({user(HOME, ACCOUNT)}),
    ("operator",),
)
TRAINER = Side(
    "trainer",
    f"Kubeflow Trainer {_version(kubeflow_trainer.FAMILY, kubeflow_trainer.MODULE)} and JobSet "
    f"{_version('jobset', JOBSET_MODULE)}: TrainJob of one node -> JobSet -> Job, Service",
    "side-trainer",
    "trainjobs",
    "trainer.kubeflow.org/v1alpha1",
    train_job,
    {"jobsets": 1, "jobs": 1, "services": 1},
    frozenset({user(kubeflow_trainer.NAMESPACE, kubeflow_trainer.ACCOUNT), user(JOBSET_NAMESPACE, JOBSET_ACCOUNT)}),
    ("trainer-controller-manager", "jobset"),
)
KUBERAY = Side(
    "kuberay",
    f"KubeRay {_version(kuberay.FAMILY, kuberay.MODULE)}: RayCluster of a head and a worker -> 2 pods, Service",
    "side-kuberay",
    "rayclusters",
    "ray.io/v1",
    ray_cluster,
    {"pods": 2, "services": 1},
    frozenset({user(kuberay.NAMESPACE, kuberay.ACCOUNT)}),
    ("ray-operator",),
    unnamed=2,
)
SIDES = (OURS, TRAINER, KUBERAY)
"""In the order of their turns."""


@contextmanager
def installed(bed: ControlPlane) -> Iterator[dict[str, tuple[Controllers, ...]]]:
    """Everything is installed and nothing runs; the controllers by side."""
    install(bed)
    bed.kubectl("create", "namespace", HOME)
    shown = [f"--show-only=templates/{name}.yaml" for name in RIGHTS]
    render = [str(program("helm")), "template", "swiftlet", str(CHART), f"--namespace={HOME}", *shown]
    rights = subprocess.run(
        [*render, "--set=registry=registry.example/swiftlet"], capture_output=True, text=True, check=True
    ).stdout
    bed.kubectl("apply", "-f", "-", stdin=rights)
    ours = Operator(bed, None, kubeconfig=bed.service_account_kubeconfig(HOME, ACCOUNT))
    with JobSet(bed) as jobset, kubeflow_trainer.KubeflowTrainer(bed) as trainer, kuberay.KubeRay(bed) as ray:
        controllers: dict[str, tuple[Controllers, ...]] = {
            OURS.name: (ours,),
            TRAINER.name: (jobset, trainer),
            KUBERAY.name: (ray,),
        }
        for each in (jobset, trainer, ray):
            each.stop()
        yield controllers


async def furnish(admin: Client) -> None:
    """Make every side's namespace."""
    for side in SIDES:
        await admin.furnish(side.namespace)
