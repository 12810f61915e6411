"""Server-side apply for documents: fields that are given win, fields that an applier no longer gives go away.

Lists are atomic: the given list replaces the stored one, as in a schema without list-map keys.
Source: Kubernetes, "Server-Side Apply", and its FieldsV1 format (`f:` before each field name).
"""

from typing import Any

FieldSet = dict[str, Any]
"""Owned fields as a FieldsV1 document: `{"f:spec": {"f:replicas": {}}}`."""


def field_set(document: dict[str, Any]) -> FieldSet:
    """The fields that `document` gives."""
    return {f"f:{name}": field_set(value) if isinstance(value, dict) else {} for name, value in document.items()}


def applied(live: dict[str, Any], given: dict[str, Any], owned: FieldSet) -> dict[str, Any]:
    """`live` after `given` was applied by the applier that owned the fields `owned` before; a new document."""
    result = dict(live)
    for field, below in owned.items():
        name = field.removeprefix("f:")
        if name in result and name not in given:
            rest = _without(result.pop(name), below)
            if rest is not None:
                result[name] = rest
    for name, value in given.items():
        before = result.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            result[name] = applied(before, value, owned.get(f"f:{name}", {}))
        else:
            result[name] = value
    return result


def _without(value: Any, owned: FieldSet) -> Any:
    """What is left of `value` without its owned fields; None when nothing is."""
    if not owned or not isinstance(value, dict):
        return None
    kept = {name: _without(part, owned[f"f:{name}"]) if f"f:{name}" in owned else part for name, part in value.items()}
    return {name: part for name, part in kept.items() if part is not None} or None


def patched(live: Any, patch: Any) -> Any:
    """`live` with a JSON merge patch (RFC 7386): what it names is replaced, None takes away."""
    if not isinstance(patch, dict):
        return patch
    result = dict(live) if isinstance(live, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = patched(result.get(name), value)
    return result
