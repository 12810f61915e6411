"""The chart as an Application, on a control plane that has none of our kinds: the ComputeProfile is a plain object,
whose drift is shown and mended."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from testbed.argocd import NAMESPACE, ArgoCd
from testbed.controlplane import ControlPlane

from .conftest import ROOT, commit


@pytest.fixture
def cluster(built: None) -> Iterator[ControlPlane]:
    """A control plane with Argo CD and nothing of ours."""
    with ControlPlane() as running, ArgoCd(running):
        yield running


def test_the_profile_of_the_chart_is_synced_and_its_drift_is_mended(cluster: ControlPlane, tmp_path: Path) -> None:
    checkout = tmp_path / "models"
    shutil.copytree(ROOT / "helm" / "swiftlet", checkout / "chart")
    commit_values(checkout, "nvidia.com/gpu")
    source = {"repoURL": checkout.as_uri(), "path": "chart", "helm": {"valueFiles": ["ours.yaml"]}}
    follow(cluster, source, {})
    until(lambda: profile(cluster) == "nvidia.com/gpu", "the first sync")
    until(lambda: shown(cluster) == "Synced", "no drift")

    cluster.kubectl("patch", "cprof", "default", "--type=merge", "-p", '{"spec": {"gpuResourceName": "amd.com/gpu"}}')
    until(lambda: shown(cluster) == "OutOfSync", "drift")
    follow(cluster, source, {"selfHeal": True})
    until(lambda: profile(cluster) == "nvidia.com/gpu", "drift mended")

    commit_values(checkout, "gpu.intel.com/i915")
    cluster.kubectl("annotate", "application", "swiftlet", "-n", NAMESPACE, "argocd.argoproj.io/refresh=normal")
    until(lambda: profile(cluster) == "gpu.intel.com/i915", "a change of the profile alone")


def commit_values(checkout: Path, gpus: str) -> None:
    profile = {"asResource": True, "spec": {"gpuResourceName": gpus}}
    values = {"registry": "registry.example/swiftlet", "computeProfile": profile}
    (checkout / "chart" / "ours.yaml").write_text(json.dumps(values))
    commit(checkout, gpus)


def follow(cluster: ControlPlane, source: dict[str, Any], automated: dict[str, Any]) -> None:
    destination = {"server": "https://kubernetes.default.svc", "namespace": "swiftlet-system"}
    policy = {"automated": automated, "syncOptions": ["CreateNamespace=true"]}
    spec = {"project": "default", "source": source, "destination": destination, "syncPolicy": policy}
    metadata = {"name": "swiftlet", "namespace": NAMESPACE}
    application = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(application))


def profile(cluster: ControlPlane) -> str:
    """The field of the stored profile that the test changes."""
    found = cluster.kubectl("get", "cprof", "default", "-o", "jsonpath={.spec.gpuResourceName}", check=False)
    return found.stdout


def shown(cluster: ControlPlane) -> str:
    """What Argo CD says of the profile."""
    path = 'jsonpath={.status.resources[?(@.kind=="ComputeProfile")].status}'
    return cluster.kubectl("get", "application", "swiftlet", "-n", NAMESPACE, "-o", path).stdout


def until(holds: Callable[[], bool], what: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.2)
