"""Statuses of pods as a kubelet writes them, for control planes that have no node: nothing runs, and a test says how
each pod ends. Everything above the kubelet (API server, Job controller, scheduler, operator) is the real thing.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]
COMPONENT = "app.kubernetes.io/component"
ARTIFACT: Object = {
    "uri": "pvc://swiftlet-artifacts/played/artifact",
    "digest": "sha256:5f3e",
    "type": "adapter",
    "baseModel": "hf://HuggingFaceTB/SmolLM2-135M-Instruct",
    "baseDigest": "sha256:ba5e",
    "finalLoss": "0.5",
    "steps": 30,
}
TRAINED: Object = {
    "artifact": ARTIFACT,
    "dataset": {"read": 84, "used": 84, "tokens": 2000},
    "progress": {"step": 30, "totalSteps": 30, "percent": 100, "loss": "0.5"},
}


def evaluated(figures: Mapping[tuple[str, str], tuple[str, str]]) -> Object:
    """The message of an evaluation. figures: (suite, metric) to (target's value, baseline's value)."""
    results = [
        {"suite": suite, "metric": metric, "subject": subject, "value": value, "n": 10}
        for (suite, metric), values in figures.items()
        for subject, value in zip(("target", "baseline"), values, strict=True)
    ]
    return {"results": results, "report": {"uri": "pvc://swiftlet-artifacts/played/report", "digest": "sha256:4e90"}}


GOOD_FIGURES = evaluated(
    {
        ("generation", "contains"): ("0.95", "0.05"),
        ("capitals", "contains"): ("0.95", "0.05"),
        ("perplexity", "perplexity"): ("12.0", "12.0"),
        ("sky", "accuracy"): ("1.0", "1.0"),
    }
)
"""Figures by which every gate of examples/ passes."""


def running(pod: Object, ready: bool = True) -> Object:
    """The status of a pod whose init containers have ended and whose containers run."""
    began = {"running": {"startedAt": _now()}}
    done = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": _now(), "finishedAt": _now()}}
    return {
        "phase": "Running",
        "startTime": _now(),
        "conditions": [_condition(name, ready) for name in ("Ready", "ContainersReady")]
        + [_condition(name, True) for name in ("PodScheduled", "Initialized")],
        **_containers(pod, "initContainers", done, ready=True),
        **_containers(pod, "containers", began, ready=ready),
    }


def ended(pod: Object, exit_code: int = 0, message: Object | str = "", reason: str | None = None) -> Object:
    """The status of a pod whose containers have ended with a termination message (as JSON when it is an object)."""
    text = json.dumps(message) if isinstance(message, dict) else message
    end = {"exitCode": exit_code, "reason": reason or ("Error" if exit_code else "Completed"), "message": text}
    state = {"terminated": {**end, "startedAt": _now(), "finishedAt": _now()}}
    status = running(pod, ready=False)
    return {
        **status,
        "phase": "Failed" if exit_code else "Succeeded",
        **_containers(pod, "containers", state, ready=False),
    }


def good_end(pod: Object) -> Object:
    """The status of a training or evaluation pod that has done all that was asked; others (servers) just run."""
    component = pod["metadata"]["labels"].get(COMPONENT)
    messages = {"trainer": TRAINED, "evaluator": GOOD_FIGURES}
    return ended(pod, message=messages[component]) if component in messages else running(pod)


def _containers(pod: Object, field: str, state: Object, ready: bool) -> Object:
    found = pod["spec"].get(field) or []
    name = "initContainerStatuses" if field == "initContainers" else "containerStatuses"
    return {
        name: [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": container["image"],
                "ready": ready,
                "started": "running" in state,
                "restartCount": 0,
                "state": state,
            }
            for container in found
        ]
    }


def _condition(name: str, holds: bool) -> Object:
    return {"type": name, "status": "True" if holds else "False", "lastTransitionTime": _now()}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
