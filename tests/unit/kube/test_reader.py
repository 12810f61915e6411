from typing import Any

import pytest
from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.kube.cache import Cache
from swiftlet.kube.reader import ClusterReader

BUNDLE = {"caBundle": {"configMapRef": {"name": "bird-ca", "key": "ca.pem"}}}
RESOURCE: dict[str, Any] = {"kind": "FineTuneJob", "metadata": {"name": "bird", "namespace": "team", "uid": "u"}}


def reader(cache: Cache, default: ComputeProfileSpec | None = None) -> ClusterReader:
    return ClusterReader(cache, RESOURCE, {}, lambda key: None, lambda uid: None, lambda job: None, default)


@pytest.mark.parametrize("by_object", [True, False])
def test_authorities_that_a_profile_names_are_looked_up(by_object: bool) -> None:
    cache = Cache()
    metadata = {"name": "default", "uid": "p", "resourceVersion": "1"}
    if by_object:
        cache.put({"apiVersion": "v1", "kind": "ComputeProfile", "metadata": metadata, "spec": BUNDLE})
    found = reader(cache, None if by_object else ComputeProfileSpec.model_validate(BUNDLE))
    found.get("ComputeProfile", None, "default")
    assert found.get("ConfigMap", "team", "bird-ca") is None
    assert found.missing == {("ConfigMap", "team", "bird-ca")}


def test_no_lookup_is_spent_on_the_names_of_children() -> None:
    found = reader(Cache())
    found.get("ComputeProfile", None, "default")
    assert found.get("ConfigMap", "team", "bird-train") is None
    assert found.missing == set()
