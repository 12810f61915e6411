"""Whether a child is there as it should be, so that nothing has to be written.

An applied manifest carries a digest of itself, and what it says is compared with what is stored. The digest tells a
manifest that no longer says something, which the comparison alone could not see; the comparison tells what was edited.
"""

import hashlib
from typing import Any

import msgspec

from swiftlet.api.v1alpha1.compute import parse_quantity
from swiftlet.kinds.frame.asked import without_asked
from swiftlet.kube.compact import HELD

APPLIED_ANNOTATION = "swiftlet.dev/applied-digest"
"""On every child: digest of the manifest that was applied last."""

Manifest = dict[str, Any]


def signed(manifest: Manifest) -> Manifest:
    """`manifest` with the digest of itself; shares structure with it."""
    metadata = manifest["metadata"]
    annotations = {key: text for key, text in (metadata.get("annotations") or {}).items() if key != APPLIED_ANNOTATION}
    bare = {**manifest, "metadata": {**metadata, "annotations": annotations}}
    content = msgspec.json.encode(without_asked(bare), order="sorted")
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    return {**bare, "metadata": {**metadata, "annotations": {**annotations, APPLIED_ANNOTATION: digest}}}


def digest_of(wanted: Manifest) -> str:
    """The digest that a signed manifest carries."""
    return str(wanted["metadata"]["annotations"][APPLIED_ANNOTATION])


def content_digest(live: Manifest) -> str:
    """Digest of a stored object without its status and without what every write changes."""
    metadata = {name: live["metadata"].get(name) for name in ("labels", "annotations", "ownerReferences")}
    content = {**live, "metadata": metadata, "status": None}
    return hashlib.blake2b(msgspec.json.encode(content, order="sorted"), digest_size=16).hexdigest()


def stands(wanted: Manifest, live: Manifest) -> bool:
    """Whether the stored object `live` is what `wanted` (signed) says, with whatever others and defaults have added.

    Of an object that is seen without its content the digest says what was applied, and the fields that are still ours
    say that nobody has changed it since.
    """
    if HELD in live:
        held = live[HELD]
        content = [name for name in wanted if name not in ("apiVersion", "kind", "metadata")]
        ours = all(f"f:{name}" in held and holds(wanted[name], held[f"f:{name}"]) for name in content)
        return ours and _says(wanted["metadata"], live["metadata"])
    return _says(wanted, live)


def holds(wanted: Any, fields: dict[str, Any]) -> bool:
    """Whether all of `wanted` is among the fields of one manager. fields: FieldsV1; empty for what is owned as a whole.

    Source: Kubernetes API, FieldsV1: `f:<name>` is a field, `k:<keys>` an item of a list that is told by these keys.
    """
    if isinstance(wanted, dict) and fields:
        return all(f"f:{name}" in fields and holds(value, fields[f"f:{name}"]) for name, value in wanted.items())
    items = {name: below for name, below in fields.items() if name.startswith("k:")}
    if isinstance(wanted, list) and items:
        return all(any(_is_item(item, key) and holds(item, below) for key, below in items.items()) for item in wanted)
    return True


def _is_item(item: Any, key: str) -> bool:
    return isinstance(item, dict) and msgspec.json.decode(key.removeprefix("k:")).items() <= item.items()


def _says(wanted: Any, live: Any) -> bool:
    if wanted == live:  # most parts are equal as a whole, and this comparison is not done in Python
        return True
    if live is None:
        return not wanted  # the API server leaves out empty values
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(_says(value, live.get(name)) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(live, list) and len(wanted) == len(live) and all(map(_says, wanted, live))
    return _same_quantity(wanted, live)


def _same_quantity(wanted: Any, live: Any) -> bool:
    """The API server writes quantities its own way: 1000m as 1, and a number as a string."""
    if isinstance(wanted, bool) or isinstance(live, bool):
        return False
    try:
        return parse_quantity(str(wanted)) == parse_quantity(str(live))
    except ValueError:
        return False
