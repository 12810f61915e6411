"""Event objects. Source: Kubernetes core/v1 Event."""

import hashlib
from typing import Any


def counted_event(about: dict[str, Any], type_: str, reason: str, message: str, now: str) -> dict[str, Any]:
    """The Event that says `reason: message` about an object; its name depends on what it says, so that it repeats."""
    metadata = about["metadata"]
    namespace = metadata.get("namespace") or "default"
    said = "\0".join((metadata.get("uid", ""), type_, reason, message))
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata['name']}.{hashlib.sha256(said.encode()).hexdigest()[:16]}",
            "namespace": namespace,
        },
        "involvedObject": {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "name": metadata["name"],
            "namespace": namespace,
            "uid": metadata.get("uid", ""),
        },
        "type": type_,
        "reason": reason,
        "message": message,
        "source": {"component": "swiftlet"},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
