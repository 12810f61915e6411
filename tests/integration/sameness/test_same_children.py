"""The same documents give the same children, through `swiftlet run` and through the operator.

The children of the local engine's store are sent to the API server as a dry run, so that both sides carry its defaults;
what then still differs must stand in DIFFERENCES, and each row there must be needed.
"""

import asyncio
import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import swiftlet.local.engine
from kubernetes import client
from swiftlet.documents.document import Document
from swiftlet.documents.read import read_documents
from swiftlet.local.engine import Engine
from swiftlet.local.store import Change
from testbed.controlplane import ControlPlane
from testbed.operator_process import DEFAULT_PROFILE
from testbed.played_pods import good_end
from testbed.scene import PLURALS, Scene

Object = dict[str, Any]
Children = dict[tuple[str, str], Object]
EXAMPLES = Path(__file__).parents[3] / "examples"
PATHS = [EXAMPLES / "quickstart", *sorted(path for path in EXAMPLES.glob("*.yaml") if path.stem != "computeprofile")]
KINDS = ("ConfigMap", "Service", "Job", "Deployment", "PodDisruptionBudget", "NetworkPolicy")


@dataclass(frozen=True)
class Difference:
    """One way in which children of a cluster and of one machine differ."""

    where: str
    """Regular expression of the whole field path, behind the kind."""
    why: str


DIFFERENCES = [
    Difference(
        r"\w+\.metadata\.annotations\.swiftlet\.dev/applied-digest",
        "the operator signs what it applies, to tell edits by hand",
    ),
    Difference(
        r"(Job|Deployment)\.metadata\.annotations\.swiftlet\.dev/plan-digest",
        "digests of what differs by the other rows, and of the resource's uid",
    ),
    Difference(
        r"\w+\.spec\.template\.spec\.(initContainers|containers)\[\w+\]\.env"
        r"\[(SWIFTLET_PROGRESS_URL|SWIFTLET_PROGRESS_TOKEN|KUBEFLOW_TRAINER_SERVER_URL|KUBEFLOW_TRAINER_SERVER_TOKEN)\]",
        "pods of a cluster post their progress; the local engine reads their files",
    ),
    Difference(
        r"\w+\.spec\.template\.spec\.((initContainers|containers)\[\w+\]\.volumeMounts|volumes)\[identity\]",
        "the token that such a post carries",
    ),
    Difference(
        r"Deployment\.spec\.strategy\.(type|rollingUpdate)",
        "pods of one machine share its ports: the old pod has to go before the new one can listen",
    ),
    Difference(
        r"Job\.spec\.template\.spec\.topologySpreadConstraints",
        "one machine is one node: there is nothing to spread over",
    ),
]


class PlayedKubelet:
    """In the place of the local engine's kubelet: pods end as on the cluster, where none has a node."""

    def __init__(self, node: Any, in_scope: Callable[[Object], bool]) -> None:
        self._store = node.store

    def start(self) -> None:
        self._store.watch(self._seen)

    def _seen(self, change: Change) -> None:
        pod = change.object
        if pod["kind"] == "Pod" and change.type == "ADDED":
            where = (pod["metadata"]["namespace"], pod["metadata"]["name"])
            asyncio.get_running_loop().call_soon(lambda: self._store.update_status("Pod", *where, good_end(pod)))

    async def drain(self, grace_seconds: float | None = None) -> None:
        """Nothing runs."""

    def kill(self) -> None:
        """Nothing runs."""


def _ours(documents: list[Document]) -> list[Document]:
    return [document for document in documents if document.kind in PLURALS]


def _local(documents: list[Document], state: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Children, dict[str, str]]:
    """Children in the local engine's store when everything is done, and the uids of the resources by kind."""
    monkeypatch.setattr(swiftlet.local.engine, "Kubelet", PlayedKubelet)

    async def work() -> tuple[Children, dict[str, str]]:
        async with Engine(state) as engine:
            engine.apply(documents)
            stored = [engine.store.get(*document.key) for document in _ours(documents)]
            await asyncio.wait_for(engine.run(lambda: all(map(_is_done, map(_again(engine), stored)))), 120)
            children = [item for item in engine.store.list() if _is_child(item)]
            return _by_name(children), {item["kind"]: item["metadata"]["uid"] for item in stored if item}

    return asyncio.run(work())


def _again(engine: Engine) -> Callable[[Any], Object]:
    return lambda item: engine.store.get(item["kind"], item["metadata"]["namespace"], item["metadata"]["name"]) or {}


def _is_done(item: Object) -> bool:
    conditions = (item.get("status") or {}).get("conditions") or []
    return any(c["type"] in ("Succeeded", "Ready") and c["status"] == "True" for c in conditions)


def _is_child(item: Object) -> bool:
    owners = item["metadata"].get("ownerReferences") or []
    return item["kind"] in KINDS and any(owner["kind"] in PLURALS for owner in owners)


def _by_name(children: list[Object]) -> Children:
    return {(child["kind"], _plain(child["metadata"]["name"])): child for child in children}


def _plain(text: str) -> str:
    """Without the digest of a server's document, which has the artifact's folder in it, and so the uid of its job."""
    return re.sub(r"-serve-[0-9a-f]{10}", "-serve-DIGEST", text)


def _on_the_cluster(scene: Scene, documents: list[Document]) -> tuple[Children, dict[str, str]]:
    """Children as the API server stored them when everything is done, and the uids of the resources by kind."""
    uids = {}
    for document in documents:
        if document.kind == "ConfigMap":
            scene.core.create_namespaced_config_map(scene.namespace, _without_namespace(document.object))
    for document in _ours(documents):
        made = scene.create(_without_namespace(document.object))
        uids[document.kind] = made["metadata"]["uid"]

    def done() -> bool:
        for pod in [pod for uid in uids.values() for pod in scene.pods(uid)]:
            if pod["status"]["phase"] == "Pending":
                scene.play(pod, good_end(pod))
        return all(_is_done(scene.get(document.kind, document.name)) for document in _ours(documents))

    try:
        scene.wait(done, "everything is done")
    except AssertionError as error:
        statuses = [scene.get(document.kind, document.name).get("status") for document in _ours(documents)]
        raise AssertionError(json.dumps(statuses, indent=1)) from error
    return _by_name(list(_stored(scene))), uids


def _without_namespace(document: Object) -> Object:
    metadata = {key: value for key, value in document["metadata"].items() if key != "namespace"}
    return {**document, "metadata": metadata}


def _stored(scene: Scene) -> Iterator[Object]:
    policy, network = client.PolicyV1Api(scene.api), client.NetworkingV1Api(scene.api)
    lists = {
        "ConfigMap": ("v1", scene.core.list_namespaced_config_map),
        "Service": ("v1", scene.core.list_namespaced_service),
        "Job": ("batch/v1", scene.batch.list_namespaced_job),
        "Deployment": ("apps/v1", scene.apps.list_namespaced_deployment),
        "PodDisruptionBudget": ("policy/v1", policy.list_namespaced_pod_disruption_budget),
        "NetworkPolicy": ("networking.k8s.io/v1", network.list_namespaced_network_policy),
    }
    for kind, (version, list_) in lists.items():
        for item in list_(scene.namespace).items:
            document = {**scene.api.sanitize_for_serialization(item), "apiVersion": version, "kind": kind}
            if _is_child(document):
                yield document


def _defaulted(control_plane: ControlPlane, scene: Scene, child: Object) -> Object:
    """A child of the local store as the API server would store it: a dry run under a name that is free."""
    metadata = child["metadata"]
    kept = {key: metadata[key] for key in ("labels", "annotations", "ownerReferences") if key in metadata}
    name = metadata["name"]
    document = {**child, "metadata": {**kept, "name": f"{name}-dry"}}
    document.pop("status", None)
    where = ("-n", scene.namespace, "--dry-run=server", "-o", "json")
    done = control_plane.kubectl("create", *where, "-f", "-", stdin=json.dumps(document))
    return dict(json.loads(done.stdout.replace(f"{name}-dry", name)))


def _normalised(child: Object, uid: str) -> Object:
    """Without what every object gets for itself: uid, times, versions, addresses, and the status."""
    text = _plain(json.dumps(child)).replace(uid, "OWNER-UID").replace(uid[:8], "OWNER")
    text = re.sub(r'("swiftlet.dev/document": )"[0-9a-f]{10}"', r'\1"DIGEST"', text)
    found: Object = json.loads(text)
    kept = ("name", "namespace", "labels", "annotations", "ownerReferences")
    found["metadata"] = {key: found["metadata"][key] for key in kept if key in found["metadata"]}
    found["metadata"].get("annotations", {}).pop("deployment.kubernetes.io/revision", None)
    found.pop("status", None)
    spec = found.get("spec", {})
    if found["kind"] == "Job":
        spec.pop("selector", None)
        for label in ("controller-uid", "batch.kubernetes.io/controller-uid"):
            spec["template"]["metadata"]["labels"].pop(label, None)
    if found["kind"] == "Service" and spec.get("clusterIP") != "None":
        for field in ("clusterIP", "clusterIPs"):
            spec.pop(field, None)
    if found["kind"] == "ConfigMap":
        found["data"] = {key: json.loads(value) for key, value in found["data"].items()}
    return found


def _differing(local: Any, cluster: Any, at: str) -> Iterator[tuple[str, Any, Any]]:
    """(path, local value, cluster's value) of each smallest part that differs; items of lists go by their names."""
    if isinstance(local, list) and isinstance(cluster, list):
        both = [*local, *cluster]
        if both and all(isinstance(item, dict) and "name" in item for item in both):
            ours, theirs = ({item["name"]: item for item in items} for items in (local, cluster))
            for name in dict.fromkeys([*ours, *theirs]):
                yield from _differing(ours.get(name), theirs.get(name), f"{at}[{name}]")
            return
    if at.endswith(".annotations"):
        local, cluster = local or {}, cluster or {}
    if isinstance(local, dict) and isinstance(cluster, dict):
        for key in dict.fromkeys([*local, *cluster]):
            yield from _differing(local.get(key), cluster.get(key), f"{at}.{key}")
    elif local != cluster:
        yield at, local, cluster


@pytest.fixture(scope="session")
def needed() -> set[str]:
    """Rows of DIFFERENCES that were met so far."""
    return set()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_children_are_the_same(
    path: Path,
    needed: set[str],
    control_plane: ControlPlane,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    documents = read_documents([path])
    placed = [Document(_placed(item, namespace), documents[0].source, path) for item in _with_profile(documents)]
    local, local_uids = _local(placed, tmp_path / "state", monkeypatch)
    flags = ("--no-leader-election", "--progress-url", "http://swiftlet-operator.swiftlet:8080/progress")
    with Scene(control_plane, namespace, tmp_path, *flags) as scene:
        scene.create_claim()
        cluster, cluster_uids = _on_the_cluster(scene, documents)
        assert set(local) == set(cluster) != set()
        unexplained = []
        for key, stored in cluster.items():
            owner = stored["metadata"]["ownerReferences"][0]["kind"]
            ours = _normalised(_defaulted(control_plane, scene, local[key]), local_uids[owner])
            theirs = _normalised(stored, cluster_uids[owner])
            for at, here, there in _differing(ours, theirs, key[0]):
                rows = [row.why for row in DIFFERENCES if re.fullmatch(row.where, at)]
                needed.update(rows)
                if not rows:
                    unexplained.append(f"{key[1]} {at}: {here!r} locally, {there!r} on the cluster")
    assert unexplained == []


def _with_profile(documents: list[Document]) -> list[Object]:
    """The documents and the operator's profile: without one the local engine adds the machine's mirror of models."""
    profile = read_documents([DEFAULT_PROFILE])[0].object
    return [profile, *(document.object for document in documents)]


def _placed(document: Object, namespace: str) -> Object:
    placed = copy.deepcopy(document)
    placed["metadata"]["namespace"] = namespace
    return placed


def test_every_difference_of_the_table_was_met(needed: set[str]) -> None:
    """A row that explains nothing has to go."""
    if not needed:
        pytest.skip("it looks at what the tests above have met, and none of them ran")
    assert {row.why for row in DIFFERENCES} == needed
