"""ResourceQuotas that would refuse pods or objects.

Source: Kubernetes, "Resource Quotas": what is counted under which name, scopes, and that a quota of cpu or memory wants
them named by every container.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from swiftlet.api.v1alpha1.compute import exact_quantity
from swiftlet.cli.acting.obstacles.pod import Amounts, Pod, shown
from swiftlet.kube.paths import TYPES

Object = dict[str, Any]
_MUST_BE_NAMED = ("cpu", "memory")


def over_quota(quota: Object, objects: Sequence[Object], pods: Sequence[Pod]) -> Iterator[str]:
    """A line for each resource of which less is left than the objects ask for."""
    name, hard = quota["metadata"]["name"], quota["spec"].get("hard") or {}
    used = (quota.get("status") or {}).get("used") or {}
    counted = [pod for pod in pods if _is_counted(quota["spec"], pod.spec)]
    is_scoped = bool(_scopes(quota["spec"]))
    wanted = _wanted([] if is_scoped else objects, counted)
    for resource, most in hard.items():
        free = max(exact_quantity(str(most)) - exact_quantity(str(used.get(resource, "0"))), Fraction(0))
        if wanted.get(resource, 0) > free:
            asked, left = shown(resource, wanted[resource]), shown(resource, free)
            yield f"ResourceQuota {name}: {resource}: {asked} are asked for, {left} of {most} are left"
        yield from _unnamed(name, resource, counted)


def _wanted(objects: Sequence[Object], pods: Sequence[Pod]) -> dict[str, Fraction]:
    """By every name that a quota may give it."""
    found: dict[str, Fraction] = {}

    def add(name: str, amount: Fraction) -> None:
        found[name] = found.get(name, Fraction(0)) + amount

    for item in objects:
        if known := TYPES.get(item["kind"]):
            group = known.api_version.rpartition("/")[0]
            add(f"count/{known.plural}" + (f".{group}" if group else ""), Fraction(1))
            add(known.plural, Fraction(1))
    for pod in pods:
        add("pods", Fraction(pod.count))
        add("count/pods", Fraction(pod.count))
        for prefixes, amounts in ((("requests.", ""), pod.requests), (("limits.",), pod.limits)):
            for resource, amount in amounts.items():
                for prefix in prefixes:
                    add(prefix + resource, pod.count * amount)
    return found


def _unnamed(quota: str, resource: str, pods: Sequence[Pod]) -> Iterator[str]:
    kind, _, bare = resource.rpartition(".")
    if bare not in _MUST_BE_NAMED or kind not in ("", "requests", "limits"):
        return
    for pod in pods:
        for container in pod.containers:
            named: Amounts = container.limits if kind == "limits" else container.requests
            if bare not in named:
                field = "limits" if kind == "limits" else "requests"
                yield (
                    f"ResourceQuota {quota} counts {resource}, and container {container.name} names none: pods are"
                    f" refused; set compute.resources.{field}.{bare}"
                )


def _is_counted(spec: Object, pod: Object) -> bool:
    """Whether all scopes of a quota take the pod."""
    return all(_SCOPES[name](pod, rule) for name, rule in _scopes(spec) if name in _SCOPES)


def _scopes(spec: Object) -> list[tuple[str, Object]]:
    rules = (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return [*((name, {}) for name in spec.get("scopes") or ()), *((rule["scopeName"], rule) for rule in rules)]


def _is_best_effort(pod: Object, _rule: Object) -> bool:
    containers = (*(pod.get("initContainers") or ()), *pod["containers"])
    return not any(part for one in containers for part in (one.get("resources") or {}).values())


def _has_priority(pod: Object, rule: Object) -> bool:
    name, operator = pod.get("priorityClassName") or "", rule.get("operator", "Exists")
    is_in = name in (rule.get("values") or ())
    return {"In": is_in, "NotIn": not is_in, "Exists": bool(name), "DoesNotExist": not name}[operator]


_SCOPES: dict[str, Callable[[Object, Object], bool]] = {
    "Terminating": lambda pod, rule: pod.get("activeDeadlineSeconds") is not None,
    "NotTerminating": lambda pod, rule: pod.get("activeDeadlineSeconds") is None,
    "BestEffort": _is_best_effort,
    "NotBestEffort": lambda pod, rule: not _is_best_effort(pod, rule),
    "PriorityClass": _has_priority,
    "CrossNamespacePodAffinity": lambda pod, rule: False,  # our pods have none
}
