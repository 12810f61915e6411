"""A plan as text and as a document."""

import os
from typing import TYPE_CHECKING, Any

from swiftlet.cli.acting.obstacles.pod import pods_of
from swiftlet.cli.acting.planning import PlannedResource
from swiftlet.cli.acting.sizing import Needs
from swiftlet.cli.acting.sizing import text_of as needs_text
from swiftlet.cli.printing.figures import size
from swiftlet.documents import Document

if TYPE_CHECKING:
    from swiftlet.cli.acting.standing import Standing


def text_of(planned: PlannedResource, needs: Needs | None, standing: "Standing | None" = None) -> str:
    """The resource, then one indented line for each thing that is known. standing: on a cluster."""
    lines = standing_lines(standing) if standing else []
    if planned.waits_for:
        lines.append(("after", ", ".join(planned.waits_for)))
    if planned.lineage:
        lines.append(("starts from", _lineage(planned)))
    if needs:
        lines += needs_text(needs, planned.resource)
        lines += [("WARNING", text) for text in _shortages(needs, planned if standing else None)]
    if planned.refusal:
        lines.append(("REFUSED", planned.refusal))
    if planned.objects:
        lines.append(("creates", ", ".join(_object(item) for item in planned.objects)))
    if standing:
        lines += [("AGAINST", text) for text in standing.against]
    return _block(planned.name, lines)


def text_of_plain(document: Document, standing: "Standing") -> str:
    """A document that the operator makes nothing for."""
    against = [("AGAINST", text) for text in standing.against]
    return _block(f"{document.kind.lower()}/{document.name}", [*standing_lines(standing), *against])


def standing_lines(standing: "Standing") -> list[tuple[str, str]]:
    """What applying a document would do to what the cluster has."""
    changed = [("", str(change)) for change in standing.changes]
    return [("on cluster", standing.state), *changed]


def _block(name: str, lines: list[tuple[str, str]]) -> str:
    return "\n".join([name, *(f"  {label:<12}{text}" for label, text in lines)])


def document_of_plain(document: Document, standing: "Standing") -> dict[str, Any]:
    """The same for programs."""
    kind, namespace, name = document.key
    place = {"namespace": namespace} if namespace else {}
    return {"kind": kind, **place, "name": name, "cluster": standing.document()}


def document_of(planned: PlannedResource, needs: Needs | None, standing: "Standing | None" = None) -> dict[str, Any]:
    """The same for programs, with every object in full."""
    metadata = planned.resource["metadata"]
    return {
        "kind": planned.resource["kind"],
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "after": list(planned.waits_for),
        **({"refused": planned.refusal} if planned.refusal else {}),
        **({"needs": needs.document()} if needs else {}),
        **({"cluster": standing.document()} if standing else {}),
        "objects": list(planned.objects),
    }


def _lineage(planned: PlannedResource) -> str:
    """The chain down to the first model."""
    whole = planned.lineage[0]["type"] == "model"
    how = "" if whole else ", merged" if planned.resource["spec"]["model"].get("mergeAdapter") else ", trained further"
    first, *others = [f"the {one['type']} of {one['fineTuneJob']}" for one in planned.lineage]
    return ", made from ".join([first + how, *others, planned.first_model])


def _object(item: dict[str, Any]) -> str:
    pods = item["spec"].get("parallelism") or item["spec"].get("replicas") if "spec" in item else None
    count = f" ({pods} pod{'s' if pods != 1 else ''})" if pods else ""
    return f"{item['kind'].lower()}/{item['metadata']['name']}{count}"


def _shortages(needs: Needs, on_cluster: PlannedResource | None) -> list[str]:
    """Where this machine, or on a cluster the pod, has less than the processes need together; GPUs have memory of their
    own."""
    if needs.estimate is None:
        return []
    if on_cluster:
        processes, who, there = needs.layout.processes_per_node, "a pod may use", _pod_memory(on_cluster)
    else:
        processes, who = needs.layout.world_size, "this machine has"
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    whole = needs.estimate.memory.total * processes
    if there is None or whole <= there:
        return []
    return [
        f"{processes} processes need up to {size(whole)}, {who} {size(there)}: lower"
        " training.perDeviceBatchSize or template.maxLength, or set training.gradientCheckpointing"
        + (", or raise compute.resources.limits.memory" if on_cluster else "")
    ]


def _pod_memory(planned: PlannedResource) -> int | None:
    """Bytes that a pod without GPUs may use; None: any, or its GPUs decide."""
    if planned.resource["spec"]["compute"].get("gpus"):
        return None
    found = [pod.limits.get("memory") for item in planned.objects if (pod := pods_of(item))]
    return int(found[0]) if found and found[0] is not None else None
