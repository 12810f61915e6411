from typing import Any

import pytest
from swiftlet.kinds.conditions.summary import settled


def resource(kind: str, *conditions: tuple[str, str, str], observed: int = 2) -> dict[str, Any]:
    listed = [{"type": type_, "status": status, "reason": reason} for type_, status, reason in conditions]
    return {
        "kind": kind,
        "metadata": {"name": "a", "generation": 2},
        "status": {"observedGeneration": observed, "conditions": listed},
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (resource("FineTuneJob", ("Succeeded", "Unknown", "Training")), None),
        (resource("FineTuneJob", ("Succeeded", "True", "Trained")), "succeeded"),
        (resource("FineTuneJob", ("Succeeded", "True", "Trained"), observed=1), None),
        (resource("EvalRun", ("Succeeded", "False", "GateFailed")), "failed"),
        (resource("ModelDeployment", ("Ready", "True", "Available")), "succeeded"),
        (resource("ModelDeployment", ("Progressing", "True", "RollingOut"), ("Ready", "False", "RollingOut")), None),
        (
            resource("ModelDeployment", ("Progressing", "False", "GateFailed"), ("Ready", "False", "GateFailed")),
            "failed",
        ),
        ({"kind": "FineTuneJob", "metadata": {"name": "a", "generation": 1}}, None),
        ({"kind": "ComputeProfile", "metadata": {"name": "a", "generation": 1}}, "succeeded"),
    ],
)
def test_settled(given: dict[str, Any], expected: str | None) -> None:
    assert settled(given) == expected
