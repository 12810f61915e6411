"""What a failed pod means for its Job. Source: Kubernetes batch/v1 PodFailurePolicy."""

from collections.abc import Iterator
from typing import Any, NamedTuple


class Match(NamedTuple):
    """The rule that a failed pod matches."""

    action: str
    """FailJob, Ignore or Count."""
    message: str


def policy_match(policy: dict[str, Any] | None, pod: dict[str, Any]) -> Match:
    """The first rule that matches a failed pod; Count when none does, or there is no policy."""
    name = f"{pod['metadata'].get('namespace', 'default')}/{pod['metadata']['name']}"
    for index, rule in enumerate((policy or {}).get("rules") or []):
        why = _exit_code(rule.get("onExitCodes"), pod, name) or _condition(rule.get("onPodConditions"), pod, name)
        if why:
            return Match(rule["action"], f"{why} matching {rule['action']} rule at index {index}")
    return Match("Count", "")


def _exit_code(requirement: dict[str, Any] | None, pod: dict[str, Any], name: str) -> str | None:
    for container, code in failed_containers(pod) if requirement else ():
        named = requirement.get("containerName") if requirement else None
        listed = code in (requirement or {})["values"]
        if named in (None, container) and listed == ((requirement or {})["operator"] == "In"):
            return f"Container {container} for pod {name} failed with exit code {code}"
    return None


def _condition(patterns: list[dict[str, Any]] | None, pod: dict[str, Any], name: str) -> str | None:
    conditions = {c["type"]: c["status"] for c in (pod.get("status") or {}).get("conditions") or []}
    for pattern in patterns or []:
        if conditions.get(pattern["type"]) == pattern.get("status", "True"):
            return f"Pod {name} has condition {pattern['type']}"
    return None


def failed_containers(pod: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """(container, exit code) of containers that ended with another code than 0; init containers too."""
    status = pod.get("status") or {}
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        terminated = container["state"].get("terminated")
        if terminated and terminated["exitCode"] != 0:
            yield container["name"], terminated["exitCode"]
