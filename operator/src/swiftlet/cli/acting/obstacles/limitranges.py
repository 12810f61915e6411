"""LimitRanges that would refuse pods.

Source: Kubernetes, "Limit Ranges": each bound holds for requests and limits, and what is bounded has to be named.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from swiftlet.cli.acting.obstacles.pod import Amounts, Pod, amounts, shown

Object = dict[str, Any]


def over_limits(limit_range: Object, pod: Pod) -> Iterator[str]:
    """A line for each container, or the pod, that asks for more or less than it may."""
    name = limit_range["metadata"]["name"]
    for rule in limit_range["spec"].get("limits") or ():
        for who, requests, limits in _bounded(rule["type"], pod):
            for line in (
                *_above(rule, requests, limits),
                *_below(rule, requests, limits),
                *_ratio(rule, requests, limits),
            ):
                yield f"LimitRange {name}: {who} {line}"


def _bounded(kind: str, pod: Pod) -> list[tuple[str, Amounts, Amounts]]:
    if kind == "Container":
        return [(f"container {one.name}", one.requests, one.limits) for one in pod.containers]
    return [("the pod", pod.requests, pod.limits)] if kind == "Pod" else []


def _above(rule: Object, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for resource, most in amounts(rule.get("max")).items():
        asked = max(requests.get(resource, Fraction(0)), limits.get(resource, Fraction(0)))
        if asked > most:
            yield f"asks for {resource} {shown(resource, asked)}, and {shown(resource, most)} are the most"
        elif resource not in limits:
            yield f"has no limit of {resource}, and {shown(resource, most)} are the most; set compute.resources.limits"


def _below(rule: Object, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for resource, least in amounts(rule.get("min")).items():
        named = [part[resource] for part in (requests, limits) if resource in part]
        if named and min(named) < least:
            yield f"asks for {resource} {shown(resource, min(named))}, and {shown(resource, least)} are the least"
        elif resource not in requests:
            yield f"requests no {resource}, and {shown(resource, least)} are the least; set compute.resources.requests"


def _ratio(rule: Object, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for resource, most in amounts(rule.get("maxLimitRequestRatio")).items():
        request, limit = requests.get(resource), limits.get(resource)
        if not request or limit is None:
            yield f"must have a request and a limit of {resource}, whose ratio is bounded by {float(most):g}"
        elif limit / request > most:
            ratio = float(limit / request)
            yield f"has a limit of {resource} of {ratio:g} times its request, and {float(most):g} times are the most"
