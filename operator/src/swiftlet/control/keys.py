"""Where an object is kept, in a cluster as in the files of one machine."""

import sys
from typing import Any

Manifest = dict[str, Any]
Key = tuple[str, str, str]
"""(kind, namespace, name); the namespace of a cluster-scoped object is empty."""


def key_of(manifest: Manifest) -> Key:
    """Where an object is kept."""
    metadata = manifest["metadata"]
    return sys.intern(manifest["kind"]), sys.intern(metadata.get("namespace") or ""), metadata["name"]
