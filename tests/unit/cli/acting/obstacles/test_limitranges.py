"""LimitRanges against one pod, whose container asks for 2 cores and at most 4 GiB."""

from typing import Any

import pytest
from swiftlet.cli.acting.obstacles.limitranges import over_limits
from swiftlet.cli.acting.obstacles.pod import pods_of

Object = dict[str, Any]


def told(resources: Object | None = None, **rule: Any) -> list[str]:
    resources = resources or {"requests": {"cpu": "2"}, "limits": {"memory": "4Gi"}}
    spec = {"containers": [{"name": "train", "resources": resources}]}
    limits = {"metadata": {"name": "team"}, "spec": {"limits": [{"type": "Container", **rule}]}}
    pod = pods_of({"kind": "Job", "spec": {"template": {"spec": spec}}}, [limits])
    assert pod is not None
    return list(over_limits(limits, pod))


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ({"max": {"memory": "2Gi"}}, "asks for memory 4.0 GiB, and 2.0 GiB are the most"),
        ({"max": {"cpu": "4"}}, "has no limit of cpu, and 4 are the most; set compute.resources.limits"),
        ({"min": {"cpu": "2500m"}}, "asks for cpu 2, and 2.5 are the least"),
        ({"min": {"nvidia.com/gpu": 1}}, "requests no nvidia.com/gpu, and 1 are the least"),
        ({"maxLimitRequestRatio": {"cpu": 2}}, "must have a request and a limit of cpu, whose ratio is bounded by 2"),
        ({"default": {"cpu": "7"}, "maxLimitRequestRatio": {"cpu": 2}}, "has a limit of cpu of 3.5 times its request"),
    ],
)
def test_bounds_of_a_container(rule: Object, line: str) -> None:
    (found,) = told(**rule)
    assert found.startswith(f"LimitRange team: container train {line}")


def test_defaults_of_the_range_are_within_it() -> None:
    assert told(max={"cpu": "4", "memory": "4Gi"}, default={"cpu": "4", "memory": "1Gi"}, min={"cpu": "1"}) == []


def test_bounds_of_a_pod() -> None:
    (found,) = told(type="Pod", max={"memory": "1Gi"})
    assert found.startswith("LimitRange team: the pod asks for memory 4.0 GiB")


def test_bounds_of_claims_are_not_about_pods() -> None:
    assert told(type="PersistentVolumeClaim", max={"storage": "1Gi"}) == []
