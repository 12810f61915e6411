"""Installs Swiftlet into a cluster the way a platform team does: by the chart, and by nothing else."""

import os
import subprocess
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from testbed.nodes.manifests import STORAGE_CLASS, volume
from testbed.programs import program
from watching import Cluster

CHART = Path(__file__).parent.parent / "helm/swiftlet"
NAMESPACE = "swiftlet-system"
RELEASE = "swiftlet"
OPERATOR_IMAGE = "localhost/swiftlet/operator:0.1.0"
TRAINER_IMAGE = "localhost/swiftlet/trainer-vllm:0.1.0"
"""Trains, evaluates and serves: one image for all keeps the suite's disk and time in bounds."""
MODELS_CLAIM = "swiftlet-models"

VALUES = {
    "image.repository": OPERATOR_IMAGE.rpartition(":")[0],
    "image.tag": OPERATOR_IMAGE.rpartition(":")[2],
    "computeProfile.spec.images.trainer": TRAINER_IMAGE,
    "computeProfile.spec.images.server": TRAINER_IMAGE,
    "computeProfile.spec.storage.modelsClaim": MODELS_CLAIM,
    "computeProfile.spec.storage.artifactsStorageClass": STORAGE_CLASS,
}


def helm(cluster: Cluster, *arguments: str) -> str:
    """Run helm on the cluster; what it prints. Raises AssertionError with what it says when it fails."""
    environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
    done = subprocess.run(
        [str(program("helm")), *arguments], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, f"helm {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def install(cluster: Cluster) -> str:
    """Install the chart and wait until both replicas are ready; the release's namespace."""
    labels = ("pod-security.kubernetes.io/enforce=restricted",)
    if cluster.kubectl("get", "namespace", NAMESPACE, check=False).returncode:
        cluster.kubectl("create", "namespace", NAMESPACE)
    cluster.kubectl("label", "namespace", NAMESPACE, "--overwrite", *labels)
    settings = [f"--set={name}={value}" for name, value in VALUES.items()]
    helm(
        cluster, "upgrade", "--install", RELEASE, str(CHART), "--namespace", NAMESPACE,
        "--wait", "--timeout=10m", *settings,
    )  # fmt: skip
    return NAMESPACE


def default_profile(cluster: Cluster) -> dict[str, Any]:
    """The installed default profile, as a ComputeProfile's document."""
    where = ("-n", NAMESPACE, "-o", r"jsonpath={.data.profile\.yaml}")
    text = cluster.kubectl("get", "configmap", "swiftlet-default-profile", *where).stdout
    return dict(YAML(typ="safe").load(text))


class ExistingCluster:
    """A cluster that somebody else runs. Volumes are folders of its nodes, which must be one and the same on all."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig

    def kubectl(
        self, *arguments: str, stdin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl with the kubeconfig. Raises CalledProcessError when it fails and `check` is set."""
        command = [str(program("kubectl")), "--kubeconfig", str(self.kubeconfig), *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=check)

    def add_volume(self, name: str, size: str, folder: Path, claim: tuple[str, str] | None = None) -> None:
        """Make a ReadWriteMany PersistentVolume on a folder of the nodes."""
        import json

        document: dict[str, Any] = volume(name, size, folder, claim)
        self.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(document))
