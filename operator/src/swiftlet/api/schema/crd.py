"""CustomResourceDefinitions, generated from the models: `python -m swiftlet.api.schema.crd FOLDER` writes them."""

import sys
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from swiftlet.api import GROUP, KINDS, VERSION
from swiftlet.api.base import MAX_NAME, NAME_PATTERN, Column, Resource
from swiftlet.api.schema.problems import field_path
from swiftlet.api.schema.structural import structural_schema

CATEGORY = "swiftlet"
"""`kubectl get swiftlet` lists every kind of the group."""

SCALE = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".status.selector",
}
"""Where the scale subresource reads and writes."""

_HEADER = "# Generated from swiftlet.api by `swiftlet crds`; do not edit.\n"
_NAME_RULES = [
    {
        "rule": f"self.metadata.name.size() <= {MAX_NAME}",
        "message": f"metadata.name may have {MAX_NAME} characters at most, so that the names of its children fit",
    },
    {
        "rule": f"self.metadata.name.matches('{NAME_PATTERN}')",
        "message": "metadata.name may hold lower-case letters, digits and -: a letter first, a letter or digit last",
    },
]
"""Of `metadata` a CRD can only bind the name, and only by rules of the root."""


def crd(kind: str) -> dict[str, Any]:
    """The CustomResourceDefinition (apiextensions.k8s.io/v1) of a kind.

    Raises KeyError for an unknown kind and ValueError for a transition rule below a list, which has no old self.
    """
    resource = KINDS[kind]
    schema = _without_figures(structural_schema(kind))
    misplaced = list(_transitions_below_lists(schema, (), below=False))
    if misplaced:
        raise ValueError(f"{kind}: transition rules below lists at {', '.join(misplaced)}: move them above the list")
    names = {
        "kind": kind,
        "listKind": f"{kind}List",
        "plural": resource.plural,
        "singular": kind.lower(),
        "shortNames": [resource.short_name],
        "categories": [CATEGORY],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{GROUP}"},
        "spec": {"group": GROUP, "names": names, "scope": resource.scope, "versions": [_version(resource, schema)]},
    }


def _version(resource: type[Resource], schema: Mapping[str, Any]) -> dict[str, Any]:
    root = {**schema, "x-kubernetes-validations": [*_NAME_RULES, *schema.get("x-kubernetes-validations", [])]}
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [_column(column) for column in resource.columns],
        "schema": {"openAPIV3Schema": root},
    }
    subresources: dict[str, Any] = {"status": {}} if "status" in schema["properties"] else {}
    if resource.scalable:
        subresources["scale"] = SCALE
    return {**version, "subresources": subresources} if subresources else version


def _column(column: Column) -> dict[str, Any]:
    shown = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return {**shown, "priority": 1} if column.wide else shown


def _without_figures(schema: Any) -> Any:
    """The schema with the fixed messages of rules alone. The API server takes a number in text to be of any length,
    so it finds such a messageExpression too dear, and refuses the whole CRD.
    """
    if isinstance(schema, Mapping):
        return {name: _without_figures(part) for name, part in schema.items() if name != "messageExpression"}
    return [_without_figures(part) for part in schema] if isinstance(schema, list) else schema


def _transitions_below_lists(schema: Mapping[str, Any], at: tuple[str, ...], below: bool) -> Iterator[str]:
    for rule in schema.get("x-kubernetes-validations", ()):
        if below and "oldSelf" in rule["rule"]:
            yield field_path(at)
    for name, part in schema.get("properties", {}).items():
        yield from _transitions_below_lists(part, (*at, name), below)
    if "items" in schema:
        yield from _transitions_below_lists(schema["items"], at, below=True)


def render_crds() -> dict[str, str]:
    """Text of every CRD file, by file name: `swiftlet.dev_finetunejobs.yaml` and so on."""
    return {f"{GROUP}_{resource.plural}.yaml": _HEADER + _dumped(crd(kind)) for kind, resource in KINDS.items()}


def write_crds(folder: Path) -> list[Path]:
    """Write every CRD below `folder`, which is made when absent. Returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in render_crds().items():
        (folder / name).write_text(text, encoding="utf-8")
        written.append(folder / name)
    return written


def _dumped(document: Mapping[str, Any]) -> str:
    """YAML that Kubernetes' reader, too, reads back as `document`: words such as on and yes are quoted."""
    from ruamel.yaml import YAML  # only generation needs it

    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)  # type: ignore[assignment]
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 4096
    yaml.representer.ignore_aliases = lambda data: True  # type: ignore[method-assign]
    text = StringIO()
    yaml.dump(document, text)
    return text.getvalue().removeprefix("%YAML 1.1\n---\n")


if __name__ == "__main__":
    write_crds(Path(sys.argv[1] if len(sys.argv) > 1 else "crds"))
