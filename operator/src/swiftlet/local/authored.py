"""Stored objects without what the store and the reconcilers have added."""

from typing import Any


def told(stored: dict[str, Any]) -> dict[str, Any]:
    """A stored resource as its author wrote it, with its status: some edits wait for the right moment."""
    return _written(stored) | ({"status": stored["status"]} if stored.get("status") else {})


def _written(stored: dict[str, Any]) -> dict[str, Any]:
    """A stored resource as its author wrote it."""
    kept = {name: value for name, value in stored.items() if name != "status"}
    names = ("name", "namespace", "labels", "annotations")
    return kept | {"metadata": {name: stored["metadata"][name] for name in names if name in stored["metadata"]}}
