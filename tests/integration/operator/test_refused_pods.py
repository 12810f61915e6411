"""Jobs and Deployments without pods say why, in the words of what refuses them, under the chart's own permissions."""

from collections.abc import Callable
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException
from testbed.operator_process import OperatorProcess

Object = dict[str, Any]
Job = Callable[..., Object]

SOON = 60
"""Seconds: the Job controller tries again by its own clock."""
LIMIT = {"type": "Container", "max": {"memory": "2Gi"}}
LARGE = {"resources": {"limits": {"memory": "4Gi"}}}


def _quota(place: Any, hard: Object) -> None:
    place.core.create_namespaced_resource_quota(place.namespace, {"metadata": {"name": "q"}, "spec": {"hard": hard}})


def _no_pods(place: Any) -> None:
    _quota(place, {"pods": "0"})


def _limits_wanted(place: Any) -> None:
    _quota(place, {"limits.cpu": "10"})


def _limit_range(place: Any) -> None:
    place.core.create_namespaced_limit_range(place.namespace, {"metadata": {"name": "l"}, "spec": {"limits": [LIMIT]}})


def _until_refused(place: Any) -> None:
    """Wait until pods like those of `LARGE` are refused in the words that last: the API server learns of a limit by a
    watch, and a quota's controller counts first."""
    container = {"name": "c", "image": "none", **LARGE}
    pod = {"metadata": {"name": "probe"}, "spec": {"containers": [container]}}

    def refuses() -> bool:
        try:
            place.core.create_namespaced_pod(place.namespace, pod, dry_run="All")
        except ApiException as error:
            return error.status == 403 and "status unknown" not in str(error.body)
        return False

    place.wait(refuses, "the API server refuses pods")


REFUSALS = [
    (_no_pods, "QuotaExceeded", "exceeded quota: q, requested: pods=1", "raise the ResourceQuota"),
    (_limits_wanted, "QuotaExceeded", "must specify limits.cpu", "set what it asks for in compute.resources"),
    (_limit_range, "LimitRangeExceeded", "maximum memory usage per Container is 2Gi", "or the LimitRange"),
]
NAMES = ["no pods", "limits wanted", "LimitRange"]


@pytest.mark.parametrize(("refuse", "reason", "words", "remedy"), REFUSALS, ids=NAMES)
def test_a_run_without_pods_says_why(
    operator: OperatorProcess, place: Any, job: Job, refuse: Any, reason: str, words: str, remedy: str
) -> None:
    refuse(place)
    _until_refused(place)
    place.create(job("bird", compute=LARGE))
    place.await_condition("FineTuneJob", "bird", "PodsReady", "False", reason)
    conditions = place.get("FineTuneJob", "bird")["status"]["conditions"]
    (message,) = (found["message"] for found in conditions if found["type"] == "PodsReady")
    assert words in message
    assert remedy in message
    assert place.condition("FineTuneJob", "bird", "Succeeded") == ("Unknown", reason)
    place.wait(lambda: place.events("bird").get("PodCannotStart") == 1, "the event")
    if refuse is _limit_range:
        place.core.delete_namespaced_limit_range("l", place.namespace)
    else:
        place.core.delete_namespaced_resource_quota("q", place.namespace)
    place.await_condition("FineTuneJob", "bird", "PodsReady", "False", "Unschedulable", seconds=SOON)


def test_a_server_without_pods_says_why(operator: OperatorProcess, place: Any) -> None:
    _no_pods(place)
    _until_refused(place)
    place.create(
        {
            "apiVersion": "swiftlet.dev/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {"name": "bird"},
            "spec": {"model": {"uri": "pvc://swiftlet-artifacts/model"}},
        }
    )
    place.await_condition("ModelDeployment", "bird", "Ready", "False", "QuotaExceeded")
    place.await_condition("ModelDeployment", "bird", "Progressing", "False", "QuotaExceeded", 1)
    place.wait(lambda: place.events("bird").get("PodCannotStart") == 1, "the event")
    place.core.delete_namespaced_resource_quota("q", place.namespace)
    place.await_condition("ModelDeployment", "bird", "Ready", "False", "Unschedulable", seconds=SOON)
