"""A plan as text and as a document."""

import os
from typing import Any

from swiftlet.cli.acting.planning import PlannedResource
from swiftlet.cli.acting.sizing import Needs
from swiftlet.cli.acting.sizing import text_of as needs_text
from swiftlet.cli.printing.figures import size


def text_of(planned: PlannedResource, needs: Needs | None) -> str:
    """The resource, then one indented line for each thing that is known."""
    lines: list[tuple[str, str]] = []
    if planned.waits_for:
        lines.append(("after", ", ".join(planned.waits_for)))
    if planned.lineage:
        lines.append(("starts from", _lineage(planned)))
    if needs:
        lines += needs_text(needs, planned.resource)
        lines += [("WARNING", text) for text in _shortages(needs)]
    if planned.refusal:
        lines.append(("REFUSED", planned.refusal))
    if planned.objects:
        lines.append(("creates", ", ".join(_object(item) for item in planned.objects)))
    return "\n".join([planned.name, *(f"  {label:<12}{text}" for label, text in lines)])


def document_of(planned: PlannedResource, needs: Needs | None) -> dict[str, Any]:
    """The same for programs, with every object in full."""
    metadata = planned.resource["metadata"]
    return {
        "kind": planned.resource["kind"],
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "after": list(planned.waits_for),
        **({"refused": planned.refusal} if planned.refusal else {}),
        **({"needs": needs.document()} if needs else {}),
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


def _shortages(needs: Needs) -> list[str]:
    """Where this machine has less than all processes of the run need together; GPUs have memory of their own."""
    if needs.estimate is None:
        return []
    whole = needs.estimate.memory.total * needs.layout.world_size
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if whole <= there:
        return []
    processes = needs.layout.world_size
    return [
        f"{processes} processes need up to {size(whole)}, this machine has {size(there)}: lower"
        " training.perDeviceBatchSize or template.maxLength, or set training.gradientCheckpointing"
    ]
