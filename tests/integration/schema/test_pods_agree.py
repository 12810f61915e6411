"""What `validate` and the CRDs take of pods' fields, the API server takes in a pod; what they refuse, it refuses."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from swiftlet.api.schema.validation import validate

Object = dict[str, Any]
NAME = "a" * 63

RESOURCES = [
    {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1000m", "memory": "1024Mi"}},
    {"requests": {"cpu": "1100m"}, "limits": {"cpu": "1.1"}},
    {"requests": {"cpu": "1101m"}, "limits": {"cpu": "1.1"}},
    {"requests": {"memory": "8Gi"}, "limits": {"memory": "8G"}},
    {"requests": {"memory": "8G"}, "limits": {"memory": "8Gi"}},
    {"requests": {"memory": "1e99"}, "limits": {"cpu": "1e99"}},
    {"limits": {"ephemeral-storage": "1Gi"}},
    {"limits": {"memroy": "1Gi"}},
    {"limits": {"gpu": "1"}},
    {"limits": {"storage": "1Gi"}},
    {"limits": {"pods": "1"}},
    {"limits": {"requests.example.com/a": "1"}},
    {"limits": {"example.com/": "1"}},
    {"limits": {"/a": "1"}},
    {"limits": {"Example.com/a": "1"}},
    {"limits": {"example.com/a/b": "1"}},
    {"limits": {f"example.com/{NAME}": "1"}},
    {"limits": {f"example.com/{NAME}a": "1"}},
    {"limits": {f"{NAME}.{NAME}.{NAME}.{'a' * 51}/a": "1"}},
    {"limits": {f"{NAME}.{NAME}.{NAME}.{'a' * 55}/a": "1"}},
    {"limits": {"example.com/a": "1500m"}},
    {"requests": {"example.com/a": "1"}},
    {"requests": {"example.com/a": "1"}, "limits": {"example.com/a": "2"}},
    {"requests": {"example.com/a": "2"}, "limits": {"example.com/a": "2"}},
    {"limits": {"hugepages-2Mi": "4Mi"}},
    {"limits": {"hugepages-2Mi": "4Mi", "cpu": "1"}},
    {"requests": {"hugepages-2Mi": "2Mi"}, "limits": {"hugepages-2Mi": "4Mi", "cpu": "1"}},
    {"limits": {"hugepages-": "4Mi", "cpu": "1"}},
]
TOLERATIONS = [
    {"operator": "Exists"},
    {"key": "a", "operator": "Exists"},
    {"key": "a", "operator": "Exists", "value": "b"},
    {"key": "a"},
    {"key": "a", "value": "b"},
    {"key": "a", "value": "b c"},
    {"key": "a b"},
    {"value": "b"},
    {"operator": "Equal"},
    {"effect": "NoSchedule"},
    {"key": "example.com/a", "operator": "Equal", "effect": "NoExecute"},
]
SELECTORS = [{"a": "b"}, {"a": ""}, {"a b": "c"}, {"a": "b c"}, {"example.com/a": NAME}, {"a": "-"}, {"/a": "b"}]
CLAIMS = ["a", "a.b", "a..b", "a-", "A", "my claim", "a" * 253, "a.-b"]
KEYS = ["a", ".a", "..a", "..", ".", "a..b", "a/b", "a b", "a" * 253]


Asked = tuple[str, Object]
"""What the API server is asked to create: the client's method, and the object."""


def _pod(container: Object | None = None, **spec: Any) -> Asked:
    whole = {"name": "a", "image": "a", **(container or {})}
    return "create_namespaced_pod", {"metadata": {"name": "a"}, "spec": {"containers": [whole], **spec}}


def _claim(name: str) -> Asked:
    spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
    return "create_namespaced_persistent_volume_claim", {"metadata": {"name": name}, "spec": spec}


def _secret(key: str) -> Asked:
    return "create_namespaced_secret", {"metadata": {"name": "a"}, "data": {key: ""}}


def _with_key(key: str) -> Object:
    return {"model": {"uri": "hf://a/b"}, "api": {"apiKey": {"secretRef": {"name": "a", "key": key}}}}


CASES: list[tuple[str, Callable[[Any], Object], Callable[[Any], Asked], Any]] = [
    *(("ComputeProfile", lambda r: {"resources": r}, lambda r: _pod(container={"resources": r}), r) for r in RESOURCES),
    *(("ComputeProfile", lambda t: {"tolerations": [t]}, lambda t: _pod(tolerations=[t]), t) for t in TOLERATIONS),
    *(("ComputeProfile", lambda s: {"nodeSelector": s}, lambda s: _pod(nodeSelector=s), s) for s in SELECTORS),
    *(("ComputeProfile", lambda c: {"storage": {"artifactsClaim": c}}, _claim, c) for c in CLAIMS),
    *(("ModelDeployment", _with_key, _secret, key) for key in KEYS),
]


def _id(value: Any) -> str:
    return "" if callable(value) else str(value)[:60]


@pytest.mark.parametrize(("kind", "spec", "asked", "value"), CASES, ids=_id)
def test_what_is_refused_is_refused_in_the_document(
    kind: str, spec: Any, asked: Any, value: Any, base: Mapping[str, Object], kube: client.ApiClient, server: Any
) -> None:
    document = {**base[kind], "spec": spec(value)}
    try:
        method, body = asked(value)
        getattr(client.CoreV1Api(kube), method)(server.namespace, body, dry_run="All")
        refused = ""
    except ApiException as error:
        assert error.status == 422, error.body
        refused = error.body
    problems = validate(document)
    assert bool(problems) == bool(refused), (problems, refused)
    assert server.create(document).refused == bool(refused)
