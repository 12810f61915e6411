"""A plan as text and as a document."""

from typing import TYPE_CHECKING, Any

from swiftlet.api.v1alpha1.tracking import ReportTo
from swiftlet.cli.acting.planning import PlannedResource
from swiftlet.cli.acting.shortages import machine_room, pod_room, shortages
from swiftlet.cli.acting.sizing import Needs
from swiftlet.cli.acting.sizing import text_of as needs_text
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
        lines += _trackers(planned)
        room = pod_room(planned, standing.gpu_memory) if standing else machine_room()
        lines += [("WARNING", text) for text in shortages(needs, room)]
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


def _trackers(planned: PlannedResource) -> list[tuple[str, str]]:
    spec = planned.resource["spec"]
    asked = spec.get("training", spec).get("reportTo")
    return [("reports to", ReportTo.model_validate(asked).words())] if asked else []


def _object(item: dict[str, Any]) -> str:
    pods = item["spec"].get("parallelism") or item["spec"].get("replicas") if "spec" in item else None
    count = f" ({pods} pod{'s' if pods != 1 else ''})" if pods else ""
    return f"{item['kind'].lower()}/{item['metadata']['name']}{count}"
