"""A cluster's objects, as readers see them."""

from typing import Any

import pytest
from swiftlet.cluster.errors import ClusterError, RefusedError
from swiftlet.cluster.objects import ClusterObjects

Object = dict[str, Any]
JOBS = "/apis/swiftlet.dev/v1alpha1/namespaces/team/finetunejobs"
PODS = "/api/v1/namespaces/team/pods"
DENIED = 'is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "team"'


def listed(*items: Object) -> Object:
    return {"metadata": {"resourceVersion": "1"}, "items": list(items)}


def named(name: str, **metadata: Any) -> Object:
    return {"metadata": {"name": name, "namespace": "team", "managedFields": [{}], **metadata}}


def test_lists_are_whole_ordered_and_say_their_kind(server: Any) -> None:
    server.says(f"GET {JOBS}", listed(named("b"), named("a")))
    found = ClusterObjects(server.connection()).list("FineTuneJob", "team")
    assert [(item["kind"], item["metadata"]["name"]) for item in found] == [("FineTuneJob", "a"), ("FineTuneJob", "b")]
    assert all("managedFields" not in item["metadata"] for item in found)


def test_what_is_not_there_is_none(server: Any) -> None:
    assert ClusterObjects(server.connection()).get("FineTuneJob", "team", "bird") is None


def test_kinds_that_are_not_served_are_not_installed(server: Any) -> None:
    with pytest.raises(ClusterError, match=r"does not serve finetunejobs.swiftlet.dev: Swiftlet is not installed"):
        ClusterObjects(server.connection()).list("FineTuneJob", "team")


def test_children_are_those_that_the_object_controls(server: Any) -> None:
    owner = {"kind": "FineTuneJob", "name": "bird", "uid": "u", "controller": True}
    server.says(
        "GET /apis/batch/v1/namespaces/team/jobs", listed(named("bird-train", uid="j", ownerReferences=[owner]))
    )
    owner = {"kind": "Job", "name": "bird-train", "uid": "j", "controller": True}
    server.says(f"GET {PODS}", listed(named("mine", uid="p", ownerReferences=[owner]), named("a-strangers", uid="q")))
    for rest in ("apps/v1/{}/deployments", "apps/v1/{}/replicasets", "apps/v1/{}/controllerrevisions",
                 "policy/v1/{}/poddisruptionbudgets",
                 "networking.k8s.io/v1/{}/networkpolicies"):  # fmt: skip
        server.says(f"GET /apis/{rest.format('namespaces/team')}", listed())
    for plural in ("configmaps", "services"):
        server.refuses(f"GET /api/v1/namespaces/team/{plural}", 403, "Forbidden", f"{plural} {DENIED}")
    warnings: list[str] = []
    found = ClusterObjects(server.connection(), warnings.append).descendants("team", "u")
    assert [item["metadata"]["name"] for item in found] == ["bird-train", "mine"]
    assert len(warnings) == 2
    assert all("labelSelector=swiftlet.dev%2Fowner-uid%3Du" in what for what, _ in server.asked)


def test_events_of_either_api_have_a_time_and_a_count(server: Any) -> None:
    old = {**named("old"), "lastTimestamp": "2026-01-01T00:00:02Z", "count": 3, "message": "m"}
    new = {**named("new"), "lastTimestamp": None, "eventTime": "2026-01-01T00:00:01.5Z", "series": {"count": 2}}
    server.says("GET /api/v1/namespaces/team/events", listed(old, new))
    found = ClusterObjects(server.connection()).events("FineTuneJob", "team", "bird")
    assert [(event["metadata"]["name"], event["count"]) for event in found] == [("new", 2), ("old", 3)]
    assert "involvedObject.kind%3DFineTuneJob%2CinvolvedObject.name%3Dbird" in server.asked[0][0]


def test_deleting_says_whether_it_was_there(server: Any) -> None:
    server.says(f"DELETE {JOBS}/bird", {})
    objects = ClusterObjects(server.connection())
    assert objects.delete("FineTuneJob", "team", "bird")
    assert not objects.delete("FineTuneJob", "team", "gone")
    server.refuses(f"DELETE {JOBS}/kept", 409, "Conflict", "a finalizer")
    with pytest.raises(RefusedError, match="a finalizer"):
        objects.delete("FineTuneJob", "team", "kept")


def test_a_namespace_that_is_not_there_gets_the_nearest(server: Any) -> None:
    server.says("GET /api/v1/namespaces", listed(named("teams")))
    with pytest.raises(ClusterError, match="there is no namespace 'team'; did you mean teams"):
        ClusterObjects(server.connection()).check_namespace("team")


def test_who_may_not_see_namespaces_is_told_nothing_of_them(server: Any) -> None:
    server.refuses("GET /api/v1/namespaces/team", 403, "Forbidden", "no")
    ClusterObjects(server.connection()).check_namespace("team")
