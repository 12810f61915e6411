"""Quotas against a Job of two pods, each with 2 cores and 4 GiB."""

from typing import Any

import pytest
from swiftlet.cli.acting.obstacles.pod import pods_of
from swiftlet.cli.acting.obstacles.quotas import over_quota

Object = dict[str, Any]
RESOURCES = {"requests": {"cpu": "2"}, "limits": {"memory": "4Gi", "nvidia.com/gpu": "1"}}


def job(**pod: Any) -> Object:
    spec = {"containers": [{"name": "train", "resources": RESOURCES}], **pod}
    return {"kind": "Job", "metadata": {"name": "bird"}, "spec": {"parallelism": 2, "template": {"spec": spec}}}


def told(hard: Object, used: Object | None = None, item: Object | None = None, **spec: Any) -> list[str]:
    item = item or job()
    pod = pods_of(item)
    assert pod is not None
    quota = {"metadata": {"name": "team"}, "spec": {"hard": hard, **spec}, "status": {"used": used or {}}}
    return list(over_quota(quota, [item, {"kind": "ConfigMap", "metadata": {"name": "bird"}}], [pod]))


@pytest.mark.parametrize(
    ("hard", "used", "line"),
    [
        ({"limits.memory": "16Gi"}, {"limits.memory": "9Gi"}, "limits.memory: 8.0 GiB are asked for, 7.0 GiB of 16Gi"),
        ({"requests.cpu": "5"}, {"requests.cpu": "1500m"}, "requests.cpu: 4 are asked for, 3.5 of 5 are left"),
        ({"cpu": "3"}, {}, "cpu: 4 are asked for, 3 of 3 are left"),
        ({"requests.nvidia.com/gpu": 1}, {}, "requests.nvidia.com/gpu: 2 are asked for, 1 of 1 are left"),
        ({"pods": 3}, {"pods": 2}, "pods: 2 are asked for, 1 of 3 are left"),
        ({"count/jobs.batch": 4}, {"count/jobs.batch": 5}, "count/jobs.batch: 1 are asked for, 0 of 4 are left"),
        ({"configmaps": 1}, {"configmaps": 1}, "configmaps: 1 are asked for, 0 of 1 are left"),
    ],
)
def test_less_is_left_than_is_asked_for(hard: Object, used: Object, line: str) -> None:
    (found,) = told(hard, used)
    assert found.startswith(f"ResourceQuota team: {line}")


def test_what_is_left_suffices() -> None:
    hard = {
        "requests.cpu": "4",
        "limits.memory": "8Gi",
        "requests.memory": "8Gi",
        "pods": "2",
        "persistentvolumeclaims": 0,
    }
    assert told(hard) == []


def test_a_quota_wants_cpu_and_memory_named() -> None:
    (found,) = told({"limits.cpu": "64"})
    assert "container train names none: pods are refused; set compute.resources.limits.cpu" in found
    assert told({"requests.ephemeral-storage": "1Gi"}) == []


@pytest.mark.parametrize(
    ("scope", "pod", "counts"),
    [
        ({"scopes": ["Terminating"]}, {}, False),
        ({"scopes": ["Terminating"]}, {"activeDeadlineSeconds": 60}, True),
        ({"scopes": ["NotTerminating", "NotBestEffort"]}, {}, True),
        ({"scopes": ["BestEffort"]}, {}, False),
        ("In", {"priorityClassName": "high"}, True),
        ("In", {}, False),
        ("NotIn", {"priorityClassName": "high"}, False),
        ("Exists", {"priorityClassName": "low"}, True),
        ("DoesNotExist", {}, True),
    ],
)
def test_a_quota_of_some_pods(scope: Any, pod: Object, counts: bool) -> None:
    if isinstance(scope, str):
        rule = {"scopeName": "PriorityClass", "operator": scope, "values": ["high"]}
        scope = {"scopeSelector": {"matchExpressions": [rule]}}
    assert bool(told({"pods": 0}, item=job(**pod), **scope)) == counts
