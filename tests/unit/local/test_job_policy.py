"""podFailurePolicy."""

from typing import Any

import pytest
from swiftlet.local.job_policy import policy_match


def failed_pod(code: int, container: str = "train", **conditions: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "namespace": "ns"},
        "status": {
            "containerStatuses": [{"name": container, "state": {"terminated": {"exitCode": code}}}],
            "conditions": [{"type": type_, "status": status} for type_, status in conditions.items()],
        },
    }


def codes(action: str, operator: str, *values: int, container: str | None = None) -> dict[str, Any]:
    rule: dict[str, Any] = {"operator": operator, "values": list(values)}
    return {"action": action, "onExitCodes": rule | ({"containerName": container} if container else {})}


DISRUPTED = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


@pytest.mark.parametrize(
    ("rules", "pod", "action"),
    [
        ([codes("FailJob", "In", 2, 3)], failed_pod(2), "FailJob"),
        ([codes("FailJob", "In", 2, 3)], failed_pod(1), "Count"),
        ([codes("FailJob", "NotIn", 1)], failed_pod(2), "FailJob"),
        ([codes("FailJob", "In", 2, container="other")], failed_pod(2), "Count"),
        ([codes("FailJob", "In", 2, container="train")], failed_pod(2), "FailJob"),
        ([DISRUPTED], failed_pod(143, DisruptionTarget="True"), "Ignore"),
        ([DISRUPTED], failed_pod(143, DisruptionTarget="False"), "Count"),
        ([DISRUPTED, codes("FailJob", "In", 2)], failed_pod(2, DisruptionTarget="True"), "Ignore"),
        ([codes("FailJob", "NotIn", 5)], failed_pod(0), "Count"),
        ([], failed_pod(1), "Count"),
    ],
)
def test_the_first_matching_rule_decides(rules: list[dict[str, Any]], pod: dict[str, Any], action: str) -> None:
    assert policy_match({"rules": rules}, pod).action == action


def test_the_message_is_the_one_of_kubernetes() -> None:
    message = policy_match({"rules": [codes("FailJob", "In", 2)]}, failed_pod(2)).message
    assert message == "Container train for pod ns/p failed with exit code 2 matching FailJob rule at index 0"
