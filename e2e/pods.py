"""Pods of the bed's own tests: make one, wait for it, read how it ended."""

import json
import textwrap
import time
from collections.abc import Callable
from typing import Any

from testbed.nodes import Cluster

NODES = ("node-1", "node-2")


def until(condition: Callable[[], Any], seconds: float) -> Any:
    """The first true answer of `condition`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s; the last answer was {answer!r}"
        time.sleep(0.25)
    return answer


def get(bed: Cluster, *args: str) -> dict[str, Any]:
    """An object or list, as the API server has it."""
    found: dict[str, Any] = json.loads(bed.kubectl("get", *args, "-o=json").stdout)
    return found


def python(image: str, code: str, **container: Any) -> dict[str, Any]:
    """A container that runs Python code."""
    command = ["python3", "-c", textwrap.dedent(code)]
    return {"name": "main", "image": image, "command": command, **container}


def run_pod(bed: Cluster, namespace: str, name: str, container: dict[str, Any], **spec: Any) -> None:
    """Create a pod that is never restarted."""
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container], **spec}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": spec}
    bed.kubectl("create", "--filename=-", stdin=json.dumps(pod))


def ended(bed: Cluster, namespace: str, name: str, seconds: float = 180) -> dict[str, Any]:
    """How the one container of a pod ended."""

    def state() -> dict[str, Any] | None:
        statuses = get(bed, "pod", name, f"--namespace={namespace}")["status"].get("containerStatuses", [])
        found: dict[str, Any] | None = statuses[0]["state"].get("terminated") if statuses else None
        return found

    answer: dict[str, Any] = until(state, seconds)
    return answer


def node_ready(bed: Cluster, node: str) -> str:
    """Status of a node's Ready condition."""
    conditions = get(bed, "node", node)["status"]["conditions"]
    return str(next(each["status"] for each in conditions if each["type"] == "Ready"))
