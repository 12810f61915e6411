"""Objects of a namespace or cluster that pods cannot start without."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Object = dict[str, Any]
_NAMED = {
    "serviceAccountName": "ServiceAccount",
    "priorityClassName": "PriorityClass",
    "runtimeClassName": "RuntimeClass",
}
"""Fields of a pod's spec whose text is a name, and the kind of what it names."""
_REFERENCES = {
    "secretKeyRef": ("Secret", "name"),
    "secretRef": ("Secret", "name"),
    "configMapKeyRef": ("ConfigMap", "name"),
    "configMapRef": ("ConfigMap", "name"),
    "configMap": ("ConfigMap", "name"),
    "persistentVolumeClaim": ("PersistentVolumeClaim", "claimName"),
}
_BUILT_IN = ("system-cluster-critical", "system-node-critical")


class Mention(NamedTuple):
    """An object by kind and name."""

    kind: str
    name: str


def mentions_of(pod: Object) -> list[Mention]:
    """What a pod's spec names, each once; what it marks as optional is left out."""
    named = [Mention(kind, pod[field]) for field, kind in _NAMED.items() if pod.get(field)]
    secrets = [Mention("Secret", one["name"]) for one in pod.get("imagePullSecrets") or ()]
    found = [*named, *secrets, *_within(pod.get("volumes")), *_within(pod.get("initContainers"))]
    return [one for one in dict.fromkeys([*found, *_within(pod.get("containers"))]) if one.name not in _BUILT_IN]


def _within(value: Any) -> Iterator[Mention]:
    if isinstance(value, list):
        for part in value:
            yield from _within(part)
    elif isinstance(value, Mapping):
        for field, part in value.items():
            if isinstance(part, Mapping) and not part.get("optional"):
                if field == "secret":  # a volume's has another name for it than a projection's
                    yield Mention("Secret", part.get("secretName") or part["name"])
                elif field in _REFERENCES:
                    kind, name = _REFERENCES[field]
                    yield Mention(kind, part[name])
            yield from _within(part)
