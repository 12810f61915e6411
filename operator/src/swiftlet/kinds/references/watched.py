"""What a resource reads besides itself: when one of these changes, it wants another look."""

from typing import Any

from swiftlet.api.base import API_VERSION
from swiftlet.api.v1alpha1.uris import parse_uri, scheme_of
from swiftlet.kinds.frame.outcome import ObjectRef
from swiftlet.kinds.references.profiles import DEFAULT_PROFILE

REFERENCE_KINDS = {"fineTuneJobRef": (API_VERSION, "FineTuneJob"), "evalRunRef": (API_VERSION, "EvalRun")}


def references(resource: dict[str, Any]) -> set[ObjectRef]:
    """Every object that `resource` (a document) names, in its namespace, and its ComputeProfile."""
    namespace = resource["metadata"].get("namespace") or "default"
    spec = resource.get("spec") or {}
    if resource["kind"] == "ComputeProfile":
        return set()
    named = ((spec.get("compute") or {}).get("profileRef") or {}).get("name")
    profile = ObjectRef(API_VERSION, "ComputeProfile", None, named or DEFAULT_PROFILE)
    return {profile, *_walk(spec, namespace)}


def _walk(value: Any, namespace: str) -> set[ObjectRef]:
    if isinstance(value, list):
        return {ref for item in value for ref in _walk(item, namespace)}
    if not isinstance(value, dict):
        return set()
    found = {ref for child in value.values() for ref in _walk(child, namespace)}
    for key, (api_version, kind) in REFERENCE_KINDS.items():
        if key in value:
            found.add(ObjectRef(api_version, kind, namespace, value[key]["name"]))
    if "secretRef" in value:
        found.add(ObjectRef("v1", "Secret", namespace, value["secretRef"]["name"]))
    for key in ("uri", "adapterUri"):
        uri = parse_uri(value[key]) if isinstance(value.get(key), str) else None
        if uri and (named := scheme_of(uri).object):
            found.add(ObjectRef(*named, namespace, uri.authority))
    return found
