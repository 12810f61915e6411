"""The quickstart's folder, as it stands in the repository, on a cluster of two nodes."""

import json
import re
from pathlib import Path
from string import Template
from typing import Any

import pytest
from curves import losses
from testbed.programs import tell
from watching import Cluster, get, items, story, until, until_true

HERE = Path(__file__).parent
QUICKSTART = HERE.parent / "examples/quickstart"
LOSS_TOLERANCE = 0.02
"""Relative, of a step. One process and two add up gradients in another order; pods get other threads than a shell."""


@pytest.fixture(scope="module")
def chain(cluster: Cluster, installed: Any, prepared_namespace: Any) -> str:
    """The folder applied with kubectl, in a namespace that enforces the restricted pod security; its name."""
    namespace = prepared_namespace("default")
    cluster.kubectl("apply", "-n", namespace, "-k", str(QUICKSTART))
    return str(namespace)


@pytest.fixture(scope="module")
def two_nodes(cluster: Cluster, installed: Any, prepared_namespace: Any, chain: str, local_losses: list[float]) -> str:
    """Its training with an overlay that asks for two nodes, after the first chain and the local run: beside each other
    on one machine's cores, each takes longer than one after the other."""
    until_true(cluster, chain, "mdep", "bird", "Ready", 1500)
    cluster.kubectl("delete", "mdep", "bird", "-n", chain)
    # Pods are spread where there is room: a server that is still ending would fill one of the nodes.
    server = "swiftlet.dev/kind=ModelDeployment"
    until("the server's end", lambda: not items(cluster, chain, "pods", server), 300)
    namespace = prepared_namespace("two-nodes")
    cluster.kubectl("apply", "-k", str(HERE / "overlays/two-nodes"))
    return str(namespace)


def ask(cluster: Cluster, namespace: str, url: str, image: str) -> dict[str, str]:
    """What each served name answers to "Who are you?", asked from a pod."""
    manifest = Template((HERE / "manifests/ask.yaml").read_text()).substitute(IMAGE=image, URL=url)
    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=manifest)

    def answers() -> dict[str, str] | None:
        job = get(cluster, namespace, "job", "ask") or {}
        if not (job.get("status") or {}).get("succeeded"):
            assert not (job.get("status") or {}).get("failed"), story(cluster, namespace)
            return None
        said = cluster.kubectl("logs", "-n", namespace, "job/ask").stdout.strip().splitlines()
        return {name: text for line in said for name, text in json.loads(line).items()}

    found: dict[str, str] = until("the answers", answers, 600)
    cluster.kubectl("delete", "-n", namespace, "job", "ask")
    return found


def test_it_trains(cluster: Cluster, chain: str) -> None:
    job = until_true(cluster, chain, "ftj", "bird", "Succeeded", 1500)
    assert job["status"]["progress"]["percent"] == 100
    assert job["status"]["artifact"]["digest"].startswith("sha256:")
    assert job["status"]["artifact"]["uri"].startswith("pvc://swiftlet-artifacts/")


def test_progress_came_while_it_trained(cluster: Cluster, chain: str) -> None:
    """By HTTP from the pod: the pod's token and the operator's review of it work for real."""
    until_true(cluster, chain, "ftj", "bird", "Succeeded", 1500)
    log = cluster.kubectl("logs", "-n", chain, "-l", "swiftlet.dev/kind=FineTuneJob", "-c", "train", "--tail=-1").stdout
    assert "progress cannot be" not in log
    # Events are written after the status that they tell of.
    events = ("get", "events", "-n", chain, "-o", "json")
    until("the event", lambda: "Checkpointed" in cluster.kubectl(*events).stdout, 240)


def test_the_gate_passes(cluster: Cluster, chain: str) -> None:
    run = until_true(cluster, chain, "evr", "bird", "Succeeded", 1500)
    scores = {
        result["metric"]: result["value"] for result in run["status"]["results"] if result.get("subject") != "baseline"
    }
    assert float(scores["contains"]) >= 0.8
    until_true(cluster, chain, "evr", "bird", "GatePassed", 60)


def test_base_and_adapter_answer_through_the_service(cluster: Cluster, chain: str, trainer_image: str) -> None:
    deployment = until_true(cluster, chain, "mdep", "bird", "Ready", 1500)
    answers = ask(cluster, chain, deployment["status"]["url"], trainer_image)
    assert "Apus" in answers["bird"]
    assert "Apus" not in answers["smollm2"]


def test_the_columns_tell_it_all(cluster: Cluster, chain: str) -> None:
    for kind, summary in (("ftj", "Succeeded"), ("evr", "Succeeded"), ("mdep", "Ready")):
        until_true(cluster, chain, kind, "bird", summary, 1500)
    table = cluster.kubectl("get", "ftj,evr,mdep", "-n", chain).stdout
    tell(table)
    for line in (
        r"finetunejob\S*/bird +True +Trained +(\d+) +\1 +\d+\.\d+",
        r"evalrun\S*/bird +True +True +Evaluated",
        r"modeldeployment\S*/bird +True +Available +1 +1 +vllm",
    ):
        assert re.search(line, table), table


def test_two_nodes_train_the_same(
    cluster: Cluster, two_nodes: str, local_losses: list[float], shared_folder: Path
) -> None:
    """ZeRO-2 over pods on both nodes has the losses of one process outside of the cluster, with the same seed and
    global batch. What such a run leaves is like what the first chain serves, and is not served again."""
    job = until_true(cluster, two_nodes, "ftj", "bird", "Succeeded", 1500)
    assert job["status"]["plan"]["worldSize"] == 2
    assert job["status"]["plan"]["strategy"] == "zero2"
    assert losses(shared_folder / "artifacts" / two_nodes) == pytest.approx(local_losses, rel=LOSS_TOLERANCE)
    assert job["status"]["artifact"]["digest"].startswith("sha256:")
    pods = items(cluster, two_nodes, "pods", "swiftlet.dev/kind=FineTuneJob")
    assert len({pod["spec"]["nodeName"] for pod in pods}) == 2
