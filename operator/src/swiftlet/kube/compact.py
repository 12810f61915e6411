"""What the cache keeps of an object: what reconcilers and the applying loop read, and nothing else.

A cluster's objects are mostly bookkeeping: half of an applied Job is managedFields, and most of a Pod is a copy of its
Job's template.
"""

from typing import Any

import msgspec

from swiftlet.api.v1alpha1.backends import WORKLOADS
from swiftlet.kinds.children.job_document import DOCUMENT_ANNOTATION
from swiftlet.kube.client import FIELD_MANAGER
from swiftlet.kube.paths import TYPES

Manifest = dict[str, Any]

HELD = "heldFields"
"""In place of the content of what is seen without it: our entry of managedFields, in the form of FieldsV1."""
UNREAD_METADATA = frozenset({"managedFields", "selfLink"})
POD_ANNOTATIONS = ("batch.kubernetes.io/", "swiftlet.dev/")
"""Prefixes of what is read of a pod's annotations, which may be 256 KiB of anything."""
UNREAD_ANNOTATIONS = frozenset({"kubectl.kubernetes.io/last-applied-configuration", DOCUMENT_ANNOTATION})

SHARED_FIELDS = {**dict.fromkeys(WORKLOADS, "f:suspend"), "Deployment": "f:replicas"}
"""The field of spec that others set as well, by kind: who did is kept, and the rest of managedFields is not."""

POD_STATUS = ("phase", "reason", "message", "startTime", "conditions")
CONTAINER_STATUS = ("name", "ready", "restartCount", "state", "lastState")


def compact(manifest: Manifest) -> Manifest:
    """The part of an object that is kept; shares structure with `manifest`."""
    kept = {**manifest, "metadata": _metadata(manifest["metadata"])}
    if manifest["kind"] in SHARED_FIELDS and (hands := _hands(manifest, SHARED_FIELDS[manifest["kind"]])):
        kept["metadata"]["managedFields"] = hands
    if manifest["kind"] == "Job":
        kept["spec"] = _job_spec(manifest.get("spec") or {})
    if manifest["kind"] == "Pod":
        annotations = kept["metadata"].get("annotations") or {}
        read = {name: text for name, text in annotations.items() if name.startswith(POD_ANNOTATIONS)}
        kept["metadata"] = {**kept["metadata"], "annotations": read}
        kept["spec"] = _pod_spec(manifest.get("spec") or {})
        kept["status"] = _pod_status(manifest.get("status") or {})
    found = TYPES.get(manifest["kind"])
    if found is not None and found.metadata_only:
        return {name: kept[name] for name in ("apiVersion", "kind", "metadata")} | {HELD: _held(manifest)}
    return kept


def packed(manifest: Manifest) -> bytes:
    """The kept part as JSON: a tenth of the memory that dictionaries take, and every reader gets a copy of its own."""
    return msgspec.json.encode(compact(manifest))


def unpacked(data: bytes) -> Manifest:
    """The document that was packed; the caller may change it."""
    found: Manifest = msgspec.json.decode(data)
    return found


def _held(manifest: Manifest) -> Manifest:
    """The fields outside of metadata that stand as we applied them: whoever changes one takes it from us."""
    for entry in manifest["metadata"].get("managedFields") or []:
        if (entry["manager"], entry["operation"]) == (FIELD_MANAGER, "Apply") and not entry.get("subresource"):
            return {name: fields for name, fields in entry["fieldsV1"].items() if name != "f:metadata"}
    return {}


def _metadata(metadata: Manifest) -> Manifest:
    kept = {name: value for name, value in metadata.items() if name not in UNREAD_METADATA}
    annotations = metadata.get("annotations")
    if annotations and not UNREAD_ANNOTATIONS.isdisjoint(annotations):
        kept["annotations"] = {name: text for name, text in annotations.items() if name not in UNREAD_ANNOTATIONS}
    return kept


def _hands(manifest: Manifest, field: str) -> list[Manifest]:
    """The entries of managedFields of others that own a field of spec, with nothing but that field."""
    owners = [
        entry
        for entry in manifest["metadata"].get("managedFields") or []
        if entry.get("manager") != FIELD_MANAGER and field in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
    ]
    return [{**_only(entry, ("manager", "time")), "fieldsV1": {"f:spec": {field: {}}}} for entry in owners]


def _job_spec(spec: Manifest) -> Manifest:
    """Without the job document, which pods read and the operator does not."""
    template = spec.get("template")
    if not template or not template.get("metadata"):
        return spec
    return {**spec, "template": {**template, "metadata": _metadata(template["metadata"])}}


def _pod_spec(spec: Manifest) -> Manifest:
    claims = [volume for volume in spec.get("volumes") or [] if "persistentVolumeClaim" in volume]
    return {**_only(spec, ("nodeName", "schedulingGates")), "volumes": claims}


def _pod_status(status: Manifest) -> Manifest:
    kept = _only(status, POD_STATUS)
    for name in ("initContainerStatuses", "containerStatuses"):
        if status.get(name):
            kept[name] = [_only(container, CONTAINER_STATUS) for container in status[name]]
    return kept


def _only(document: Manifest, names: tuple[str, ...]) -> Manifest:
    return {name: document[name] for name in names if name in document}
