"""Whether a child stands, also where its content is not seen."""

import copy
from typing import Any

import pytest
from swiftlet.kube.compact import compact
from swiftlet.kube.standing import signed, stands

Manifest = dict[str, Any]

WANTED = signed(
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "bird", "namespace": "team", "labels": {"a": "b"}},
        "spec": {"selector": {"app": "bird"}, "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]},
    }
)
PORT = 'k:{"port":80,"protocol":"TCP"}'
FIELDS: Manifest = {
    "f:metadata": {"f:labels": {"f:a": {}}},
    "f:spec": {"f:selector": {}, "f:ports": {PORT: {".": {}, "f:name": {}, "f:port": {}, "f:protocol": {}}}},
}
"""As API server 1.36 keeps them of an apply of WANTED."""


def stored(fields: Manifest, **metadata: Any) -> Manifest:
    """The object as the cache has it, when this is our entry of managedFields."""
    ours = {"manager": "swiftlet", "operation": "Apply", "fieldsV1": fields}
    theirs = {"manager": "controller", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}}
    found = {**WANTED["metadata"], "uid": "1", "managedFields": [theirs, ours], **metadata}
    return compact({**WANTED, "metadata": found, "spec": {"clusterIP": "10.0.0.1"}, "status": {}})


def without(*path: str) -> Manifest:
    fields = copy.deepcopy(FIELDS)
    below = fields
    for name in path[:-1]:
        below = below[name]
    del below[path[-1]]
    return fields


def test_what_was_applied_and_left_alone_stands() -> None:
    live = stored(FIELDS)
    assert "spec" not in live
    assert stands(WANTED, live)


@pytest.mark.parametrize(
    "path",
    [("f:spec",), ("f:spec", "f:selector"), ("f:spec", "f:ports"), ("f:spec", "f:ports", PORT, "f:name")],
)
def test_what_somebody_has_changed_does_not(path: tuple[str, ...]) -> None:
    assert not stands(WANTED, stored(without(*path)))


def test_nor_what_was_applied_of_another_plan_or_lost_a_label() -> None:
    assert not stands(WANTED, stored(FIELDS, annotations={"swiftlet.dev/applied-digest": "of before"}))
    assert not stands(WANTED, stored(FIELDS, labels={}))


def test_nor_what_somebody_else_has_made() -> None:
    forged = compact({**WANTED, "metadata": {**WANTED["metadata"], "uid": "1"}})
    assert not stands(WANTED, forged)


def test_objects_that_are_seen_whole_are_compared() -> None:
    job = signed({"kind": "Job", "metadata": {"name": "a"}, "spec": {"limits": {"cpu": "1000m"}, "args": []}})
    assert stands(job, {**job, "spec": {"limits": {"cpu": "1"}, "completions": 1}})
    assert not stands(job, {**job, "spec": {"limits": {"cpu": "2"}}})
