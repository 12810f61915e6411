"""The operator's rights are what it used in this run: none is missing, and none is idle. Runs last."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from installation import NAMESPACE
from testbed.nodes import Cluster as Bed

USER = f"system:serviceaccount:{NAMESPACE}:swiftlet-operator"
CREATED = 201
"""Answer to a server-side apply that made the object, for which the API server asks for `create` as well."""
Right = tuple[str, str, str]
"""API group, resource (with subresource), verb."""
ELSEWHERE: set[Right] = {
    ("kueue.x-k8s.io", "workloads", "get"),
    ("", "configmaps", "delete"),
    ("apps", "controllerrevisions", "get"),
}
"""Rights that only a cluster with more programs needs (tests/integration/kueue), or one that is older than ten minutes:
documents of revisions that are gone (kinds/modeldeployment/revisions.py), or an operator that takes over before it has
seen what the former one has just made: nobody else can know the name of a ControllerRevision, which has our digest."""


@pytest.fixture(scope="module")
def requests(bed: Bed, installed: str) -> list[dict[str, Any]]:
    """Every request of the operator that the API server noted."""
    return bed.control_plane.audit_events(USER)


def used(requests: list[dict[str, Any]]) -> set[Right]:
    """Rights that the requests needed."""
    found = set()
    for event in requests:
        if "objectRef" in event:
            about = event["objectRef"]
            resource = "/".join(filter(None, (about["resource"], about.get("subresource"))))
            verbs = {event["verb"]} | ({"create"} if event["responseStatus"]["code"] == CREATED else set())
            found |= {(about.get("apiGroup", ""), resource, verb) for verb in verbs}
    return found


def granted(bed: Bed) -> Iterator[Right]:
    """Rights that the chart gives the operator's account."""
    for rule in (rule for role in roles(bed) for rule in role.get("rules") or []):
        for group, resource in ((group, resource) for group in rule["apiGroups"] for resource in rule["resources"]):
            yield from ((group, resource, verb) for verb in rule["verbs"])


def roles(bed: Bed) -> Iterator[dict[str, Any]]:
    """The roles that are bound to the operator's account."""
    for binding, role, scope in (("clusterrolebinding", "clusterrole", ()), ("rolebinding", "role", ("-n", NAMESPACE))):
        listed = json.loads(bed.kubectl("get", binding, *scope, "-o", "json").stdout)
        for each in listed["items"]:
            if any(subject.get("namespace") == NAMESPACE for subject in each.get("subjects") or []):
                yield json.loads(bed.kubectl("get", role, each["roleRef"]["name"], *scope, "-o", "json").stdout)


def test_nothing_was_forbidden(requests: list[dict[str, Any]]) -> None:
    assert requests, "the operator asked nothing: this proves nothing"
    refused = [(event["verb"], event["requestURI"]) for event in requests if event["responseStatus"]["code"] == 403]
    assert not refused


def test_no_right_is_idle(bed: Bed, requests: list[dict[str, Any]]) -> None:
    rights = set(granted(bed))
    assert rights, "no role was found: this proves nothing"
    idle = sorted(rights - ELSEWHERE - used(requests))
    assert not idle, f"drop these from the chart, or add a scene that needs them: {idle}"
