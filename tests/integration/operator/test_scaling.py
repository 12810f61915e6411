"""Servers that are scaled: by their spec, by `kubectl scale`, and by other hands on the Deployment."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from testbed.operator_process import OperatorProcess

Object = dict[str, Any]
WHERE = ("swiftlet.dev", "v1alpha1")


@pytest.fixture
def server(operator: OperatorProcess, place: Any) -> Iterator[str]:
    """A ModelDeployment `bird` whose Deployment is there; its uid."""
    claim = {"metadata": {"name": "models"}, "spec": {"accessModes": ["ReadWriteMany"]}}
    claim["spec"] |= {"resources": {"requests": {"storage": "1Gi"}}}
    place.core.create_namespaced_persistent_volume_claim(place.namespace, claim)
    uid = place.create(
        {
            "apiVersion": "swiftlet.dev/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {"name": "bird"},
            "spec": {"model": {"uri": "pvc://models/bird"}},
        }
    )
    place.await_children(uid, "Deployment", "Pod")
    place.await_rest()
    yield uid


def live(place: Any, uid: str) -> Any:
    return place.children(uid)["Deployment"][0]


def told(place: Any) -> str:
    conditions = place.get("ModelDeployment", "bird")["status"]["conditions"]
    return str(next(found["message"] for found in conditions if found["type"] == "Ready"))


def test_kubectl_scale_and_autoscalers_find_a_model_deployment(server: str, place: Any) -> None:
    kubectl, here = place.control_plane.kubectl, ("-n", place.namespace)
    kubectl("scale", "mdep/bird", "--replicas=3", *here)
    place.wait(lambda: live(place, server).spec.replicas == 3, "three replicas")
    path = f"/apis/swiftlet.dev/v1alpha1/namespaces/{place.namespace}/modeldeployments/bird/scale"

    def scale() -> Object:
        return dict(json.loads(kubectl("get", "--raw", path).stdout))

    place.wait(lambda: scale()["status"]["replicas"] == 3, "status tells of three")
    assert scale()["spec"]["replicas"] == 3
    pods = place.core.list_namespaced_pod(place.namespace, label_selector=scale()["status"]["selector"]).items
    assert {pod.metadata.labels["app.kubernetes.io/component"] for pod in pods} == {"server"}


@pytest.mark.parametrize("number", [0, 3])
def test_a_deployment_that_another_hand_scales_is_left_to_it(server: str, place: Any, number: int) -> None:
    place.await_rest()
    before = place.mark()
    place.apps.patch_namespaced_deployment_scale(
        "bird-serve", place.namespace, {"spec": {"replicas": number}}, field_manager="autoscaler"
    )
    who = "autoscaler" if number else ""  # the scale subresource does not note who has set a zero
    place.wait(lambda: f"{number} replicas are set on the Deployment by {who}" in told(place), "it is told")
    written = place.few_writes_since(before)
    assert live(place, server).spec.replicas == number
    assert not [write for write in written if " deployments/" in write], written
    assert len([write for write in written if "events/" not in write]) <= 5, written
    place.custom.patch_namespaced_custom_object(
        *WHERE, place.namespace, "modeldeployments", "bird", {"spec": {"engine": {"maxModelLength": 4096}}}
    )
    place.wait(lambda: len(place.await_rest()) > before[0] + len(written), "a new rollout")
    assert live(place, server).spec.replicas == number, "a rollout leaves the number alone"
    place.custom.patch_namespaced_custom_object(
        *WHERE, place.namespace, "modeldeployments", "bird", {"spec": {"replicas": 2}}
    )
    place.wait(lambda: live(place, server).spec.replicas == 2, "what the resource asks for anew")


def test_a_new_leader_leaves_the_number_alone(server: str, operator: OperatorProcess, place: Any) -> None:
    place.apps.patch_namespaced_deployment_scale("bird-serve", place.namespace, {"spec": {"replicas": 3}})
    place.wait(lambda: "3 replicas are set on the Deployment by" in told(place), "it is told")
    before = place.await_rest(2.0)
    operator.kill()
    operator.start()
    operator.wait_ready()
    assert not [write for write in place.await_rest(3.0)[len(before) :] if " deployments/" in write]
    assert live(place, server).spec.replicas == 3
