"""A server's revisions: pods come up as what they were, a new one that cannot start leaves the old one serving, and one
of the history is served again. Deployment controller and autoscaler are the real ones; what kubelets tell is played.
"""

import json
from typing import Any

import pytest
from kubernetes.client import AutoscalingV2Api
from kubernetes.client.exceptions import ApiException
from testbed.operator_process import OperatorProcess

Object = dict[str, Any]
WHERE = ("swiftlet.dev", "v1alpha1")


def deployment(length: int) -> Object:
    spec = {"model": {"uri": "pvc://swiftlet-artifacts/a"}, "engine": {"maxModelLength": length}}
    api = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ModelDeployment"}
    return {**api, "metadata": {"name": "bird"}, "spec": spec}


class Server:
    """A ModelDeployment `bird` with a pod that is ready, and its ReplicaSets."""

    def __init__(self, place: Any) -> None:
        self.place, self.uid = place, place.create(deployment(1024))
        place.await_children(self.uid, "Pod")
        place.play(self.uid, runs=True)
        place.await_condition("ModelDeployment", "bird", "Ready", "True", "Available")

    def patch(self, **spec: Any) -> None:
        namespace = self.place.namespace
        self.place.custom.patch_namespaced_custom_object(*WHERE, namespace, "modeldeployments", "bird", {"spec": spec})

    def status(self) -> Object:
        return dict(self.place.get("ModelDeployment", "bird")["status"])

    def told(self) -> str:
        found = {one["type"]: one["message"] for one in self.status()["conditions"]}
        return str(found["Ready"])

    def sets(self) -> list[Any]:
        return list(self.place.apps.list_namespaced_replica_set(self.place.namespace).items)

    def document(self, template: Any) -> tuple[str, str]:
        """(name, text) of the job document that pods of a template are given."""
        (volume,) = [volume for volume in template.spec.volumes if volume.name == "job"]
        found = self.place.core.read_namespaced_config_map(volume.config_map.name, self.place.namespace)
        return volume.config_map.name, found.data["job.json"]

    def history(self) -> list[tuple[int, int]]:
        """(number, longest context) of what the API server has of the history."""
        kept = self.place.apps.list_namespaced_controller_revision(self.place.namespace).items
        return sorted((one.revision, one.data["document"]["maxModelLength"]) for one in kept)

    def image_is_gone(self) -> None:
        """The second pod gets a node, since the scheduler would tell of none again and again; the node cannot pull its
        image."""
        (name,) = [pod.metadata.name for pod in self.pods() if pod.status.phase == "Pending"]
        path = f"/api/v1/namespaces/{self.place.namespace}/pods/{name}/binding"
        node = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": name},
            "target": {"kind": "Node", "name": "n"},
        }
        self.place.control_plane.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(node))
        state = {"waiting": {"reason": "ImagePullBackOff", "message": "server:2: not found"}}
        found = {"name": "serve", "ready": False, "restartCount": 0, "image": "i", "imageID": "", "state": state}
        status = {"status": {"containerStatuses": [found]}}
        self.place.core.patch_namespaced_pod_status(name, self.place.namespace, status)

    def pods(self) -> list[Any]:
        """Those that nobody has told to stop."""
        pods = self.place.children(self.uid)["Pod"]
        return [pod for pod in pods if pod.metadata.deletion_timestamp is None]


@pytest.fixture
def server(operator: OperatorProcess, place: Any) -> Server:
    return Server(place)


def test_a_revision_that_cannot_start_leaves_the_old_one_serving_and_can_be_left(server: Server, place: Any) -> None:
    (first,) = server.sets()
    name, text = server.document(first.spec.template)
    assert '"maxModelLength": 1024' in text and server.status()["currentRevision"] == 1
    server.patch(engine={"maxModelLength": 512})
    place.wait(lambda: len(server.pods()) == 2, "a pod of the second revision")
    server.image_is_gone()
    place.wait(lambda: "server:2: not found" in server.told(), "the cause is told")
    place.wait(lambda: server.told().endswith("; revision 1 goes on serving"), "and what serves")
    status = server.status()
    assert (status["currentRevision"], status["updateRevision"]) == (1, 2)
    assert [(one["revision"], one["readyReplicas"]) for one in status["revisions"]] == [(1, 1), (2, 0)]
    assert server.history() == [(1, 1024), (2, 512)]
    documents = dict(server.document(one.spec.template) for one in server.sets())
    assert len(documents) == 2 and documents[name] == text, "what the first pods were given is still there"
    with pytest.raises(ApiException, match="immutable"):
        place.core.patch_namespaced_config_map(name, place.namespace, {"data": {"job.json": "{}"}})
    pods = {pod.metadata.uid for pod in server.pods() if pod.status.phase == "Running"}
    server.patch(rollbackTo={"revision": 1})
    place.await_condition("ModelDeployment", "bird", "Ready", "True", "Available")
    place.wait(lambda: {pod.metadata.uid for pod in server.pods()} == pods, "no pod was replaced")
    assert server.status()["updateRevision"] == 1 and server.told().endswith("until spec.rollbackTo is removed")
    assert len(server.sets()) == 2
    mark = place.mark()
    server.patch(rollbackTo={"revision": 7})
    place.await_condition("ModelDeployment", "bird", "Accepted", "False", "RevisionNotFound")
    server.patch(rollbackTo=None)
    place.wait(lambda: server.status()["updateRevision"] == 2, "the spec is rolled out again")
    written = place.few_writes_since(mark)
    assert server.history() == [(1, 1024), (2, 512)] and not [one for one in written if "controllerrev" in one], written
    server.patch(replicas=0, revisionHistoryLimit=0)
    place.wait(lambda: server.history() == [(2, 512)], "the history is over")


def test_an_autoscaler_of_the_resource_and_one_of_its_deployment(server: Server, place: Any) -> None:
    """Of a document without replicas, which means one until somebody else says otherwise. Neither asks for figures,
    which nobody measures here: there are fewer pods than each may have."""
    scaling = AutoscalingV2Api(place.api)
    target = {"type": "Utilization", "averageUtilization": 9}
    metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    apps = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "bird-serve"}
    ours = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ModelDeployment", "name": "bird"}
    live = lambda: place.children(server.uid)["Deployment"][0].spec.replicas  # noqa: E731
    for scaled, least in ((ours, 2), (apps, 3)):
        spec = {"scaleTargetRef": scaled, "minReplicas": least, "maxReplicas": 4, "metrics": metrics}
        autoscaler = {"metadata": {"name": scaled["name"]}, "spec": spec}
        scaling.create_namespaced_horizontal_pod_autoscaler(place.namespace, autoscaler)
        place.wait(lambda: live() == least, f"{least} pods")  # noqa: B023
        scaling.delete_namespaced_horizontal_pod_autoscaler(scaled["name"], place.namespace)
    assert place.get("ModelDeployment", "bird")["spec"]["replicas"] == 2
    server.patch(engine={"maxModelLength": 512})
    place.wait(lambda: server.status()["updateRevision"] == 2, "another revision")
    place.await_rest()
    assert live() == 3, "a rollout leaves the number alone"
