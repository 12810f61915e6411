"""How pods get their job document: as a file at JOB_FILE, out of an annotation of their own or out of a ConfigMap.

What runs to an end has it in its template: an object less for every run to write, to watch and to delete, and since
nobody can change the template of a Job that has started, an attempt keeps the document that it was made with. A long
document is in a ConfigMap, and so is a server's, which a new ReplicaSet must find again under its own name.
"""

from typing import Any, NamedTuple

from swiftlet.api.base import Resource
from swiftlet.kinds.owning.ownership import canonical_json, child_metadata
from swiftlet.storage.mount import Mount
from swiftlet.wire.documents import JOB_FILE

DOCUMENT_ANNOTATION = "swiftlet.dev/job-document"
"""On a pod: its job document."""
LONGEST_ANNOTATION = 32 << 10
"""Bytes of a document in an annotation. All of an object's may have 256 KiB together (apimachinery,
TotalAnnotationSizeLimitB), and those that people and profiles write are among them."""
FOLDER, _, KEY = JOB_FILE.rpartition("/")

Manifest = dict[str, Any]


class Handed(NamedTuple):
    """A job document on its way to pods."""

    objects: list[Manifest]
    """That hold it, beside the pods."""
    annotations: dict[str, str]
    """Of the pods' template."""
    mount: Mount


def hand_over(resource: Resource, name: str, component: str, content: Manifest) -> Handed:
    """The document `content` for the pods of bounded work. name: of a ConfigMap, if one is needed."""
    text = canonical_json(content, indent=None)
    if len(text.encode()) > LONGEST_ANNOTATION:
        return Handed([config_map(resource, name, component, content)], {}, config_map_mount(name))
    field = {"fieldPath": f"metadata.annotations['{DOCUMENT_ANNOTATION}']"}
    source = {"downwardAPI": {"items": [{"path": KEY, "fieldRef": field}]}}
    return Handed([], {DOCUMENT_ANNOTATION: text}, Mount("job", source, FOLDER))


def config_map(resource: Resource, name: str, component: str, content: Manifest) -> Manifest:
    """The ConfigMap that holds a job document, as it is written."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": child_metadata(resource, name, component),
        "data": {KEY: canonical_json(content)},
    }


def config_map_mount(name: str) -> Mount:
    """The job document in a pod, out of a ConfigMap."""
    return Mount("job", {"configMap": {"name": name, "items": [{"key": KEY, "path": KEY}]}}, FOLDER)
