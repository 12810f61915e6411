"""A server's pods come up as what they were, whatever was planned since. The Deployment controller is the real one."""

from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException
from testbed.operator_process import OperatorProcess


def deployment(length: int) -> dict[str, Any]:
    spec = {"model": {"uri": "pvc://swiftlet-artifacts/a"}, "engine": {"maxModelLength": length}}
    api = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ModelDeployment"}
    return {**api, "metadata": {"name": "bird"}, "spec": spec}


def document(place: Any, template: Any) -> tuple[str, str]:
    """(name, text) of the job document that pods of a template are given."""
    (volume,) = [volume for volume in template.spec.volumes if volume.name == "job"]
    found = place.core.read_namespaced_config_map(volume.config_map.name, place.namespace)
    return volume.config_map.name, found.data["job.json"]


def test_an_old_revision_keeps_its_document(operator: OperatorProcess, place: Any) -> None:
    place.create(deployment(1024))
    sets = lambda: place.apps.list_namespaced_replica_set(place.namespace).items  # noqa: E731
    place.wait(lambda: len(sets()) == 1, "the first ReplicaSet")
    name, text = document(place, sets()[0].spec.template)
    assert '"maxModelLength": 1024' in text
    where = ("swiftlet.dev", "v1alpha1", place.namespace, "modeldeployments", "bird")
    place.custom.patch_namespaced_custom_object(*where, {"spec": {"engine": {"maxModelLength": 512}}})
    place.wait(lambda: len(sets()) == 2, "the second ReplicaSet")
    place.await_rest()
    documents = dict(document(place, one.spec.template) for one in sets())
    assert len(documents) == 2 and documents[name] == text, "rollout undo goes back to what the first pods were given"
    with pytest.raises(ApiException, match="immutable"):
        place.core.patch_namespaced_config_map(name, place.namespace, {"data": {"job.json": "{}"}})
