"""Brings the chart's generated parts in line with crds/: `python helm/generate.py`, a part of `make generate`.

The chart carries copies of the CRDs, because helm packages nothing from outside of a chart's folder; and its values are
checked by the ComputeProfile's schema where they hold one, so that a typo is refused before anything is installed.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

HELM = Path(__file__).parent
CRDS = HELM.parent / "crds"
COPIES = HELM / "swiftlet" / "files" / "crds"
VALUES_SCHEMA = HELM / "swiftlet" / "values.schema.json"
PROFILES = "swiftlet.dev_computeprofiles.yaml"

Schema = dict[str, Any]


def main() -> None:
    """Write both."""
    shutil.rmtree(COPIES, ignore_errors=True)
    COPIES.mkdir(parents=True)
    for file in sorted(CRDS.glob("*.yaml")):
        shutil.copyfile(file, COPIES / file.name)
    VALUES_SCHEMA.write_text(values_schema())


def values_schema() -> str:
    """The schema of the values, with the ComputeProfile's own part as crds/ has it."""
    schema = json.loads(VALUES_SCHEMA.read_text())
    crd = YAML(typ="safe").load(CRDS / PROFILES)
    of_resource = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["definitions"]["computeProfileSpec"] = plain(of_resource["properties"]["spec"])
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def plain(structural: Schema) -> Schema:
    """A CRD's schema as JSON Schema: closed, since the API server drops or refuses what it does not know, and without
    CEL and defaults, which are the API server's."""
    result = {key: value for key, value in structural.items() if not key.startswith("x-") and key != "default"}
    if structural.get("x-kubernetes-int-or-string"):
        result |= {"type": ["integer", "string"]}
    if "properties" in structural:
        result["properties"] = {name: plain(part) for name, part in structural["properties"].items()}
        result["additionalProperties"] = False
    for key in ("items", "additionalProperties"):
        if isinstance(structural.get(key), dict):
            result[key] = plain(structural[key])
    return result


if __name__ == "__main__":
    main()
