"""One cluster for the whole suite, with the project's own images and the operator installed by its chart."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from curves import losses
from installation import (
    MODELS_CLAIM,
    OPERATOR_IMAGE,
    TRAINER_IMAGE,
    ExistingCluster,
    install,
)
from ruamel.yaml import YAML
from testbed import image_builds
from testbed.image_run import Inside, inside
from testbed.nodes import Cluster as Bed
from testbed.nodes.manifests import STORAGE_CLASS
from testbed.programs import cache_folder
from watching import Cluster

REPOSITORY = Path(__file__).parent.parent
STEPS = 8
"""Of the training that is run outside of the cluster too; as overlays/two-nodes has it."""
CHECKED_IMAGE = os.environ.get("SWIFTLET_E2E_IMAGE", "trainer-vllm-cpu")
"""FLAVOUR-VARIANT of trainer_image/Dockerfile: the image that is looked into (`make image-check`)."""
KUBECONFIG = os.environ.get("SWIFTLET_E2E_KUBECONFIG")
"""Run on this cluster instead of one of our own. It must have the images and see SWIFTLET_E2E_FOLDER on every node."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Of `--dist loadscope`; of xdist, which is not asked for where one worker does everything."""
    if config.getoption("dist") != "loadscope":
        return None
    from workers import ClusterBesideTheRest

    return ClusterBesideTheRest(config, log)


@pytest.fixture(scope="session")
def trainer_image() -> str:
    """The image that trains, evaluates and serves, as pods name it."""
    return TRAINER_IMAGE


@pytest.fixture(scope="session")
def variant() -> str:
    """What the image that is looked into computes on: cpu or cuda."""
    return CHECKED_IMAGE.rpartition("-")[2]


@pytest.fixture(scope="session")
def in_trainer(variant: str) -> Iterator[Inside]:
    """The image that is looked into."""
    flavour = CHECKED_IMAGE.rpartition("-")[0]
    tag = "0.1.0" if variant == "cpu" else f"0.1.0-{variant}"
    with inside(image_builds.trainer(f"localhost/swiftlet/{flavour}:{tag}", flavour, variant)) as image:
        yield image


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Two nodes of our own, or the cluster that was named."""
    if KUBECONFIG:
        yield ExistingCluster(Path(KUBECONFIG))
        return
    built = [image_builds.operator(OPERATOR_IMAGE), image_builds.trainer(TRAINER_IMAGE)]
    with Bed(nodes=2, images=built, audit=True) as bed:
        yield bed


@pytest.fixture(scope="session")
def bed(cluster: Cluster) -> Bed:
    """The cluster as one whose nodes can be broken."""
    if not isinstance(cluster, Bed):
        pytest.skip("breaks nodes: runs on the test bed's own cluster only (unset SWIFTLET_E2E_KUBECONFIG)")
    return cluster


@pytest.fixture(scope="session")
def installed(cluster: Cluster) -> str:
    """The chart's release; its namespace."""
    return install(cluster)


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The folder org/name of the converted model, in the mirror on this machine."""
    done = subprocess.run(
        [sys.executable, "-m", "swiftlet_trainer.models.smollm2"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="session")
def shared_folder(cluster: Cluster, smollm2: Path) -> Iterator[Path]:
    """A folder that every node sees, with the model mirror in it."""
    named = os.environ.get("SWIFTLET_E2E_FOLDER")
    folder = Path(named) if named else cache_folder() / "nodes" / f"shared-{os.getpid()}"
    mirror = folder / "models" / smollm2.parent.name / smollm2.name
    mirror.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(smollm2, mirror, dirs_exist_ok=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def prepared_namespace(cluster: Cluster, shared_folder: Path) -> Callable[[str], str]:
    """Make a namespace as a platform team would: restricted pods only, a mirror of models, a volume for artifacts."""

    def prepare(name: str) -> str:
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        apply(cluster, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        cluster.add_volume(f"{name}-models", "10Gi", shared_folder / "models", (name, MODELS_CLAIM))
        cluster.add_volume(
            f"{name}-artifacts", "100Gi", shared_folder / "artifacts" / name, (name, "swiftlet-artifacts")
        )
        claim = {
            "accessModes": ["ReadOnlyMany"],
            "storageClassName": STORAGE_CLASS,
            "resources": {"requests": {"storage": "10Gi"}},
        }
        metadata = {"name": MODELS_CLAIM, "namespace": name}
        apply(cluster, {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim})
        return name

    return prepare


@pytest.fixture(scope="session")
def local_losses(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """Loss of each step of the quickstart's training, run for STEPS by the local engine on this machine."""
    documents = tmp_path_factory.mktemp("documents")
    job = yaml().load(REPOSITORY / "examples/quickstart/finetunejob.yaml")
    job["spec"]["training"] = {"maxSteps": STEPS, "learningRate": job["spec"]["training"]["learningRate"]}
    job["spec"]["datasets"][0]["uri"] = str(REPOSITORY / "examples/quickstart/data/self-cognition.jsonl")
    yaml().dump(job, documents / "finetunejob.yaml")
    swiftlet = str(Path(sys.executable).with_name("swiftlet"))
    command = [swiftlet, "run", str(documents), "--state", str(documents / "state")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = losses(documents / "state")
    assert len(found) == STEPS
    return found


def yaml() -> YAML:
    return YAML(typ="safe", pure=True)


def apply(cluster: Cluster, document: dict[str, Any]) -> None:
    """Apply one object as the administrator."""
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(document))
