"""Objects as JSON, YAML or names."""

import json
import re
import sys
from collections.abc import Sequence
from typing import Any

JSONPATH = "jsonpath="
ACTS = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Characters that act on a terminal, or turn the direction of writing, and that JSON may have as they are."""
Object = dict[str, Any]


def print_objects(objects: Sequence[Object], output: str, single: bool = False) -> None:
    """Print objects: one bare when `single`, else as a v1 List; `name` prints plural-free `kind/name` lines, and
    `jsonpath=TEMPLATE` the template filled in, with no newline behind it, as kubectl does."""
    if output == "name":
        for item in objects:
            print(f"{item['kind'].lower()}/{item['metadata']['name']}")
        return
    document = objects[0] if single else {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    if output.startswith(JSONPATH):
        from swiftlet.cli.printing.jsonpathtemplate import filled

        print(filled(output.removeprefix(JSONPATH), document), end="")
        return
    print_document(document, output)


def print_document(document: Any, output: str) -> None:
    """Print one value as `json` or `yaml`."""
    if output == "json":
        text = json.dumps(document, indent=2, ensure_ascii=False)
        print(ACTS.sub(lambda found: f"\\u{ord(found[0]):04x}", text))
        return
    write_yaml(document)


def write_yaml(document: Any) -> None:
    """YAML on stdout; texts with several lines as blocks."""
    from ruamel.yaml import YAML
    from ruamel.yaml.scalarstring import walk_tree

    copied = json.loads(json.dumps(document))
    walk_tree(copied)
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 4096
    yaml.dump(copied, sys.stdout)
