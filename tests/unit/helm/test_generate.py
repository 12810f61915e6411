"""What the chart carries of crds/ is what crds/ says."""

import importlib.util
from types import ModuleType

import pytest

from .conftest import CHART, ROOT


@pytest.fixture
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "helm" / "generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_crds_are_copies() -> None:
    ours, theirs = (
        {file.name: file.read_bytes() for file in folder.glob("*.yaml")}
        for folder in (ROOT / "crds", CHART / "files" / "crds")
    )
    assert ours == theirs, "run `make generate`"


def test_the_values_schema_holds_the_compute_profile(generate: ModuleType) -> None:
    assert generate.values_schema() == (CHART / "values.schema.json").read_text(), "run `make generate`"


def test_plain_closes_objects_and_drops_what_is_the_api_servers(generate: ModuleType) -> None:
    structural = {
        "type": "object",
        "default": {},
        "x-kubernetes-validations": [{"rule": "true"}],
        "properties": {
            "limits": {"type": "object", "additionalProperties": {"x-kubernetes-int-or-string": True}},
            "names": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
        },
    }
    assert generate.plain(structural) == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "limits": {"type": "object", "additionalProperties": {"type": ["integer", "string"]}},
            "names": {
                "type": "array",
                "items": {"type": "object", "properties": {"name": {"type": "string"}}, "additionalProperties": False},
            },
        },
    }
