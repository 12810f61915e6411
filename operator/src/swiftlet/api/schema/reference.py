"""The reference of the API as Markdown, rendered from the models: `python -m swiftlet.api.schema.reference FOLDER`."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from swiftlet.api import API_VERSION, KINDS
from swiftlet.api.base import Resource
from swiftlet.api.schema.problems import Location
from swiftlet.api.schema.structural import structural_schema
from swiftlet.api.v1alpha1.tasks import Task

ROWS = {
    "messages": "conversations, prompts with completions, and texts",
    "text": "texts",
    "preference": "pairs of answers",
    "unpaired_preference": "single answers, each with whether it is good",
    "relevance": "texts with others that are relevant to them, or not",
    "ranking": "texts with ranked lists",
    "labelled": "texts and conversations, each with its label",
}
"""What rows are, by the format that stands for its like."""

_BOUNDS = {
    "minimum": "≥ {}",
    "maximum": "≤ {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "maxProperties": "at most {} keys",
}


def render_reference() -> dict[str, str]:
    """Text of every page, by file name: `finetunejob.md` and so on, a page for each task below `tasks/`, `index.md`."""
    pages = {f"{kind.lower()}.md": _page(kind, resource) for kind, resource in KINDS.items()}
    rows = [
        f"| [{kind}]({kind.lower()}.md) | `{resource.short_name}` | {resource.scope}"
        f" | {structural_schema(kind)['description']} |"
        for kind, resource in KINDS.items()
    ]
    table = ["| Kind | Short name | Scope | |", "| --- | --- | --- | --- |", *rows]
    tasks = [f"- [{name}](tasks/{name}.md): learns {Task.block_named(name).learns}" for name in Task.model_fields]
    index = [
        "# API reference",
        "",
        f"`apiVersion: {API_VERSION}`",
        "",
        *table,
        "",
        "Tasks of a FineTuneJob:",
        "",
        *tasks,
        "",
        "Ways of writing tools into conversations: [agent templates](agent-templates.md).",
        "What counts how much in the loss: [rules of loss scale](loss-scale.md).",
    ]
    return {
        "index.md": "\n".join([*index, ""]),
        **pages,
        **{f"tasks/{name}.md": _task_page(name) for name in Task.model_fields},
    }


def write_reference(folder: Path) -> list[Path]:
    """Write every page below `folder`, which is made when absent. Returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in render_reference().items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        written.append(folder / name)
    return written


def _page(kind: str, resource: type[Resource]) -> str:
    schema = structural_schema(kind)
    lines = [f"# {kind}", "", schema["description"], ""]
    lines += [f"`apiVersion: {API_VERSION}`, {resource.scope.lower()}, `kubectl get {resource.short_name}`.", ""]
    lines += ["This page is generated from the models in `swiftlet.api`.", ""]
    for part in ("spec", "status"):
        if part in schema["properties"]:
            lines += [f"## {part}", "", *_fields(schema["properties"][part], (part,))]
    if rules := list(_rules(schema, ())):
        lines += ["## Rules", "", "| Field | Rule | CEL |", "| --- | --- | --- |", *rules, ""]
    lines += ["## Columns of `kubectl get`", "", "| Column | JSONPath | Shown |", "| --- | --- | --- |"]
    for column in resource.columns:
        lines.append(f"| {column.name} | `{_cell(column.path)}` | {'with -o wide' if column.wide else 'always'} |")
    return "\n".join([*lines, ""])


def _task_page(name: str) -> str:
    """Of one block of spec.task."""
    block = to_camel(name)
    schema = structural_schema("FineTuneJob")["properties"]["spec"]["properties"]["task"]["properties"][block]
    at: Location = ("spec", "task", block)
    example = "finetunejob-lora.yaml" if name == Task().name else f"tasks/{name.replace('_', '-')}.yaml"
    rows = ", or ".join(ROWS[one] for one in Task.block_named(name).formats)
    lines = [f"# Task {block}", "", (sys.modules[f"swiftlet.api.v1alpha1.tasks.{name}"].__doc__ or "").strip(), ""]
    lines += [f"It learns {Task.block_named(name).learns}.", ""]
    lines += [f"Rows: {rows} ([data](../../how-to/data.md)). Example: [{example}](../../../examples/{example}).", ""]
    lines += ["This page is generated from the models in `swiftlet.api.v1alpha1.tasks`.", "", *_fields(schema, at)]
    if rules := list(_rules(schema, at)):
        lines += ["## Rules", "", "| Field | Rule | CEL |", "| --- | --- | --- |", *rules, ""]
    return "\n".join(lines)


def _fields(schema: Mapping[str, Any], at: Location) -> list[str]:
    head = ["| Field | Type | Default | Bounds | |", "| --- | --- | --- | --- | --- |"]
    return [*head, *_rows(schema, at), ""]


def _rows(schema: Mapping[str, Any], at: Location) -> Iterator[str]:
    """One row for each field below `schema`, parents before children."""
    required = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        field = (*at, name)
        default = "required" if name in required else _default(part)
        cells = (f"`{_path(field)}`", _type(part), default, _bounds(part), _cell(part.get("description", "")))
        yield f"| {' | '.join(cells)} |"
        yield from _rows(part, field)
        yield from _rows(part.get("items", {}), (*field, "[]"))


def _path(location: Location) -> str:
    """`spec.datasets[].uri` for ("spec", "datasets", "[]", "uri")."""
    return ".".join(str(step) for step in location).replace(".[]", "[]")


def _type(schema: Mapping[str, Any]) -> str:
    if "items" in schema:
        return f"list of {_type(schema['items'])}"
    if "additionalProperties" in schema:
        return f"map of {_type(schema['additionalProperties'])}"
    if "x-kubernetes-int-or-string" in schema:
        return "integer or string"
    return " or ".join(f"`{choice}`" for choice in schema["enum"]) if "enum" in schema else str(schema["type"])


def _default(schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    if default is None or default in ({}, []):
        return ""
    return f"`{_cell(json.dumps(default))}`"


def _bounds(schema: Mapping[str, Any]) -> str:
    texts = []
    for keyword, template in _BOUNDS.items():
        if keyword in schema:
            strict = schema.get(f"exclusiveM{keyword[1:]}", False)
            text = template.replace("≥", ">").replace("≤", "<") if strict else template
            texts.append(text.format(schema[keyword]))
    return ", ".join(texts).replace("at least 1 characters", "not empty").replace("at least 1 items", "not empty")


def _rules(schema: Mapping[str, Any], at: Location) -> Iterator[str]:
    for rule in schema.get("x-kubernetes-validations", ()):
        field = _path((*at, *filter(None, [rule.get("fieldPath", "").removeprefix(".")])))
        yield f"| `{field}` | {_cell(rule['message'])} | `{_cell(rule['rule'])}` |"
    for name, part in schema.get("properties", {}).items():
        yield from _rules(part, (*at, name))
    if "items" in schema:
        yield from _rules(schema["items"], (*at, "[]"))


def _cell(text: str) -> str:
    """Text for a cell of a table: one line, bars escaped."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    write_reference(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference"))
