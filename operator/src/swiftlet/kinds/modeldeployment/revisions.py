"""The document of each revision of a server: a ConfigMap that never changes, named by its digest.

Pods outlive what they were planned from: beside a rollout that fails the old ones go on, and a revision may be served
again. One that starts again must come up as what it was, so its template names a document of its own. One that neither
a template nor the history names any more is deleted.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from swiftlet.api.v1alpha1.modeldeployment import ModelDeployment
from swiftlet.kinds.children.job_document import config_map
from swiftlet.kinds.conditions.timestamps import seconds_between, to_text
from swiftlet.kinds.frame.outcome import ObjectRef, ref_of
from swiftlet.kinds.observing.observed import is_being_deleted, of_kind
from swiftlet.kinds.owning.ownership import digest_of

DOCUMENT_LABEL = "swiftlet.dev/document"
"""On the ConfigMap, on what names it, and, by way of the template, on ReplicaSets and pods: the document's digest."""
DIGITS = 10
KEPT_SECONDS = 600
"""How long a ConfigMap is kept at least: a ReplicaSet that names it may not have been seen yet."""


def document_label(content: dict[str, Any]) -> dict[str, str]:
    """The label of the ConfigMap that holds a job document, and of what names it: Deployment, template, history."""
    return {DOCUMENT_LABEL: digest_of(content).removeprefix("sha256:")[:DIGITS]}


def document_name(name: str, content: dict[str, Any]) -> str:
    """Name of the ConfigMap that holds a job document; `name` is its beginning."""
    return f"{name}-{document_label(content)[DOCUMENT_LABEL]}"


def revision_document(
    deployment: ModelDeployment, name: str, component: str, content: dict[str, Any]
) -> dict[str, Any]:
    """The ConfigMap that holds the job document; `name` is the beginning of its own."""
    manifest = config_map(deployment, document_name(name, content), component, content)
    manifest["metadata"]["labels"] |= document_label(content)
    return {**manifest, "immutable": True}


def unused_documents(
    children: Sequence[dict[str, Any]], rendered: Sequence[dict[str, Any]], now: datetime
) -> list[ObjectRef]:
    """The ConfigMaps that nothing among the children names any more, and that are not about to be named."""
    naming = [child for child in children if child["kind"] != "ConfigMap"]
    used = {_label(manifest) for manifest in (*naming, *rendered)}
    return [
        ref_of(child)
        for child in of_kind(children, "ConfigMap")
        if _label(child) and _label(child) not in used and not is_being_deleted(child) and _is_old(child, now)
    ]


def _label(manifest: dict[str, Any]) -> str | None:
    return (manifest["metadata"].get("labels") or {}).get(DOCUMENT_LABEL)


def _is_old(child: dict[str, Any], now: datetime) -> bool:
    return seconds_between(child["metadata"].get("creationTimestamp"), to_text(now)) > KEPT_SECONDS
