import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api import KINDS
from swiftlet.api.schema import crd
from swiftlet.documents.yamlfile import parse_documents

REPOSITORY = Path(__file__).parents[4]


def test_the_generated_files_are_up_to_date() -> None:
    files = {file.name: file.read_text("utf-8") for file in (REPOSITORY / "crds").iterdir()}
    assert files == crd.render_crds(), "run: python -m swiftlet.api.schema.crd crds"


def test_kubernetes_reads_back_what_was_generated() -> None:
    for kind, text in zip(KINDS, crd.render_crds().values(), strict=True):
        ((read, _),) = parse_documents(text, "crd.yaml")
        assert read == json.loads(json.dumps(crd.crd(kind)))


def test_write_crds_makes_the_folder(tmp_path: Path) -> None:
    written = crd.write_crds(tmp_path / "a" / "b")
    assert [file.name for file in written] == sorted(crd.render_crds(), key=list(crd.render_crds()).index)
    assert all(file.read_text("utf-8") == crd.render_crds()[file.name] for file in written)


@pytest.mark.parametrize("kind", KINDS)
def test_names_scope_and_subresource(kind: str) -> None:
    definition = crd.crd(kind)
    spec, resource = definition["spec"], KINDS[kind]
    assert definition["metadata"]["name"] == f"{resource.plural}.swiftlet.dev"
    assert spec["names"]["categories"] == ["swiftlet"]
    assert spec["names"]["shortNames"] == [resource.short_name]
    assert spec["scope"] == resource.scope
    (version,) = spec["versions"]
    assert ("subresources" in version) is ("status" in resource.model_fields)


@pytest.mark.parametrize("kind", KINDS)
def test_columns_read_fields_that_exist(kind: str) -> None:
    (version,) = crd.crd(kind)["spec"]["versions"]
    for column in version["additionalPrinterColumns"]:
        node: Any = version["schema"]["openAPIV3Schema"]
        for step in column["jsonPath"].lstrip(".").split("[")[0].split("."):
            if step == "creationTimestamp":
                break
            node = node["properties"].get(step, {"properties": {"creationTimestamp": {}}})
        assert node, column


def test_wide_columns_have_priority_one() -> None:
    (version,) = crd.crd("FineTuneJob")["spec"]["versions"]
    priorities = {column["name"]: column.get("priority", 0) for column in version["additionalPrinterColumns"]}
    assert priorities["Loss"] == 0
    assert priorities["Artifact"] == 1


def test_the_root_binds_the_name() -> None:
    (version,) = crd.crd("EvalRun")["spec"]["versions"]
    root = version["schema"]["openAPIV3Schema"]
    assert root["properties"]["metadata"] == {"type": "object"}
    assert root["x-kubernetes-validations"][0]["rule"] == "self.metadata.name.size() <= 52"


def test_a_transition_rule_below_a_list_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = {"rule": "self.a == oldSelf.a", "message": "m"}
    schema = {"properties": {"spec": {"properties": {"l": {"items": {"x-kubernetes-validations": [rule]}}}}}}
    monkeypatch.setattr(crd, "structural_schema", lambda kind: schema)
    with pytest.raises(ValueError, match=r"transition rules below lists at spec\.l"):
        crd.crd("FineTuneJob")


def test_what_can_be_scaled_has_the_fields_that_the_subresource_names() -> None:
    scalable = [kind for kind, resource in KINDS.items() if resource.scalable]
    assert scalable == ["ModelDeployment"]
    (version,) = crd.crd("ModelDeployment")["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    types = {"specReplicasPath": "integer", "statusReplicasPath": "integer", "labelSelectorPath": "string"}
    for name, type_ in types.items():
        part, field = version["subresources"]["scale"][name].strip(".").split(".")
        assert schema["properties"][part]["properties"][field]["type"] == type_
    assert "scale" not in crd.crd("FineTuneJob")["spec"]["versions"][0]["subresources"]
