"""What was last asked of a child in the fields that others may set as well: `suspend`, `replicas` and the like.

Kueue, an autoscaler or a person may change such a field after us, and then it is theirs. So it is written only when the
resource asks for something else than before, and what it asked for stands on the child itself: a new leader, or another
version of the operator, decides the same.
"""

import json
from collections.abc import Mapping
from typing import Any

from swiftlet.kinds.frame.outcome import Patch, ref_of

ASKED_ANNOTATION = "swiftlet.dev/asked"
"""On Jobs and Deployments: the fields of spec that others may set as well, as we asked for them last, as JSON."""

Manifest = dict[str, Any]
Wish = Mapping[str, Any]
"""Fields of a child's spec by name; None leaves one to the API server's default."""


def asking(manifest: Manifest, wish: Wish) -> Manifest:
    """A child to be made that asks for `wish`."""
    metadata = manifest["metadata"]
    given = {name: value for name, value in wish.items() if value is not None}
    annotations = {**(metadata.get("annotations") or {}), ASKED_ANNOTATION: _text(wish)}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}, "spec": {**manifest["spec"], **given}}


def asked_anew(child: Manifest, wish: Wish) -> list[Patch]:
    """The patch that asks a child for `wish`: only the fields that were last asked to be otherwise. None: no patch."""
    changed = {name: value for name, value in wish.items() if _asked(child, name) != value}
    if not changed:
        return []
    return [Patch(ref_of(child), {"metadata": {"annotations": {ASKED_ANNOTATION: _text(wish)}}, "spec": changed})]


def set_by_another(child: Manifest, name: str) -> bool:
    """Whether a field of spec is not as we asked for it last: it is another hand's now."""
    return bool(child["spec"].get(name) != _asked(child, name))


def left_to_others(manifest: Manifest, child: Manifest | None, wish: Wish) -> Manifest:
    """A manifest to apply to `child`, without the fields that another hand has set since they were asked for.

    A zero is repeated: the scale subresource does not note whose it is, so that the field would still be ours to drop.
    """
    if child is None:
        return manifest
    others = {name for name, value in wish.items() if _asked(child, name) == value and set_by_another(child, name)}
    spec = {name: value for name, value in manifest["spec"].items() if name not in others}
    return {**manifest, "spec": spec | {name: 0 for name in others if child["spec"].get(name) == 0}}


def without_asked(manifest: Manifest) -> Manifest:
    """A manifest without the fields that it asks for; the annotation still tells what they are."""
    names = _said(manifest)
    if not names:
        return manifest
    return {**manifest, "spec": {name: value for name, value in manifest["spec"].items() if name not in names}}


def _asked(child: Manifest, name: str) -> Any:
    """What was last asked for; where nothing legible says so, what is there."""
    return _said(child).get(name, child["spec"].get(name))


def _said(child: Manifest) -> dict[str, Any]:
    text = (child["metadata"].get("annotations") or {}).get(ASKED_ANNOTATION)
    try:
        found = json.loads(text) if text else None
    except (ValueError, RecursionError):  # anybody who may edit the child may write anything there
        found = None
    return found if isinstance(found, dict) else {}


def _text(wish: Wish) -> str:
    return json.dumps(dict(wish), sort_keys=True)
